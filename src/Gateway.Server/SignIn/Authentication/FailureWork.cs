namespace Gateway.Server.SignIn.Authentication;

/// <summary>What a failed sign-in still has to hash, so that it costs the same for every user name.</summary>
/// <remarks>
/// The time of a refusal would otherwise tell which names exist: a dummy hash alone hides it only while all users have
/// the same scheme and cost, and files grow over years. The costliest hash of every scheme in use is the measure;
/// a user with a cheaper one owes the difference. Doublings add up exactly: 2^8 + (2^8 + 2^9) = 2^10.
/// </remarks>
internal sealed class FailureWork
{
    private const int LeastRounds = 1000; // libcrypt's own minimum, about 0.3 ms

    private readonly Dictionary<(HashScheme Scheme, int Cost), WorkItem[]> _remainders = [];
    private readonly WorkItem[] _whole;

    /// <param name="hashes">The scheme and cost of every user.</param>
    /// <param name="fallback">What an unknown name costs where there are no users.</param>
    public FailureWork(IEnumerable<PasswordHash> hashes, WorkItem fallback)
    {
        var used = hashes.Select(static hash => (hash.Scheme, hash.Cost)).ToHashSet();
        var greatest = used
            .GroupBy(static use => use.Scheme)
            .ToDictionary(static uses => uses.Key, static uses => uses.Max(static use => use.Cost));
        _whole = used.Count == 0 ? [fallback] : [.. greatest.Select(static pair => new WorkItem(pair.Key, pair.Value))];
        foreach (var (scheme, cost) in used)
        {
            _remainders[(scheme, cost)] =
            [
                .. Remainder(scheme, cost, greatest[scheme]),
                .. _whole.Where(item => item.Scheme != scheme),
            ];
        }
    }

    /// <summary>What remains to be done after a user's own hash did not match, or for a name without one.</summary>
    public IReadOnlyList<WorkItem> For(PasswordHash? hash) =>
        hash is null ? _whole : _remainders[(hash.Scheme, hash.Cost)];

    private static IEnumerable<WorkItem> Remainder(HashScheme scheme, int cost, int greatest)
    {
        if (scheme is HashScheme.Sha256Crypt or HashScheme.Sha512Crypt)
        {
            return greatest - cost >= LeastRounds ? [new WorkItem(scheme, greatest - cost)] : [];
        }

        return Enumerable.Range(cost, greatest - cost).Select(step => new WorkItem(scheme, step));
    }
}

/// <summary>One hash to compute for its cost only.</summary>
internal sealed record WorkItem(HashScheme Scheme, int Cost)
{
    /// <summary>The setting for libcrypt.</summary>
    public string Setting { get; } = PasswordHash.WorkSetting(Scheme, Cost);
}
