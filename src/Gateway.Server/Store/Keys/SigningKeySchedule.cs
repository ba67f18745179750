using Gateway.Foundation.Configuration;

namespace Gateway.Server.Store.Keys;

/// <summary>When keys come, sign, and go. Decides from the keys there are; changes nothing itself.</summary>
internal sealed class SigningKeySchedule(SigningKeySettings settings, TimeProvider time)
{
    /// <summary>
    /// How long a new key is known before it signs: longer than replicas need to see it (half a second; up to a minute
    /// on a network file system, which caches folders) and than the JWK Set is cached (a minute).
    /// </summary>
    public static readonly TimeSpan PublicationDelay = TimeSpan.FromSeconds(90);

    // The limit and not the setting: that may have been longer when the key still signed.
    private static readonly TimeSpan LongestAccessToken = TimeSpan.FromHours(1);

    // Clocks of replicas differ, and expired tokens are accepted for a minute.
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(5);

    /// <summary>The algorithm whose keys are used.</summary>
    public SigningAlgorithm Algorithm => settings.Algorithm;

    private DateTimeOffset Now => time.GetUtcNow();

    /// <summary>
    /// How long a key is needed after its successor signs. An access token that it signed last may live for an hour,
    /// and continue an upload until <c>tokens.uploadWindow</c> after that.
    /// </summary>
    private TimeSpan Overlap => LongestAccessToken + settings.UploadWindow + Margin;

    /// <summary>The keys of the configured algorithm, in a ring's order; others are not used.</summary>
    public IReadOnlyList<SigningKey> Usable(IEnumerable<SigningKey> keys) =>
        [.. SigningKeyRing.InOrder(keys.Where(key => key.Algorithm == settings.Algorithm))];

    /// <summary>The first key, active at once: nobody could have waited for it.</summary>
    public KeyChange First(IReadOnlyList<SigningKey> keys) =>
        Usable(keys).Count > 0 ? KeyChange.None : new KeyChange(Create(keys, TimeSpan.Zero), []);

    /// <summary>A successor of the key that signs, and the removal of keys that nobody needs any more.</summary>
    /// <param name="keys">All keys.</param>
    /// <param name="delay">
    /// How long it is only made known: <see cref="PublicationDelay"/> or more, and none where one waits already; or
    /// zero, in place of one that waits.
    /// </param>
    public KeyChange Rotate(IReadOnlyList<SigningKey> keys, TimeSpan delay)
    {
        if (Usable(keys).Count == 0)
        {
            return First(keys);
        }

        var waiting = keys.Where(key => StateOf(key, keys) == SigningKeyState.Next).ToList();
        var removed = Unneeded(keys).ToList();
        return waiting.Count > 0 && delay > TimeSpan.Zero
            ? new KeyChange(null, removed)
            : new KeyChange(Create(keys, delay), [.. removed, .. waiting.Where(IsOurs)]);
    }

    /// <summary>What is due automatically: a successor of an old key, the removal of keys that nobody needs.</summary>
    public KeyChange Due(IReadOnlyList<SigningKey> keys)
    {
        var usable = Usable(keys);
        var isOld = settings.RotateAfter > TimeSpan.Zero
            && usable.Count > 0
            && usable[^1].ActiveFrom + settings.RotateAfter - PublicationDelay <= Now;
        var removed = Unneeded(keys).ToList();
        return isOld ? new KeyChange(Create(keys, PublicationDelay), removed)
            : removed.Count > 0 ? new KeyChange(null, removed)
            : KeyChange.None;
    }

    /// <summary>The removal of one key, at once.</summary>
    /// <param name="keys">All keys.</param>
    /// <param name="id">The key's id, or the beginning of it.</param>
    /// <exception cref="ProblemException">There is no such key, or it is the one that signs.</exception>
    public KeyChange Retire(IReadOnlyList<SigningKey> keys, string id)
    {
        if (keys.Where(key => key.Id.StartsWith(id, StringComparison.Ordinal)).ToList() is not [var key])
        {
            throw new ProblemException(new Problem(
                "ID", "no single key has this id", id,
                "List the keys with gateway keys list; the first group of the id is enough."));
        }

        if (StateOf(key, keys) == SigningKeyState.Signs)
        {
            throw new ProblemException(new Problem(
                "ID", "this key signs new tokens", key.Id,
                "Let another key take over (gateway keys rotate --now), then retire this one."));
        }

        return new KeyChange(null, [key]);
    }

    /// <summary>What a key is used for now.</summary>
    public SigningKeyState StateOf(SigningKey key, IReadOnlyList<SigningKey> keys)
    {
        return key.Algorithm != settings.Algorithm ? SigningKeyState.Unused
            : SigningKeyRing.ActiveAt(Usable(keys), Now).Id == key.Id ? SigningKeyState.Signs
            : key.ActiveFrom > Now ? SigningKeyState.Next
            : SigningKeyState.Verifies;
    }

    /// <summary>
    /// Until when tokens and upload tickets signed with a key can be in use; <see langword="null"/> while it is the
    /// last.
    /// </summary>
    public DateTimeOffset? NeededUntil(SigningKey key, IReadOnlyList<SigningKey> keys) =>
        Usable(keys).SkipWhile(other => other.Id != key.Id).Skip(1).FirstOrDefault()?.ActiveFrom + Overlap;

    private static bool IsOurs(SigningKey key) => key.CreatedAt is not null;

    // An operator's own key is the operator's to take away: it may be the only copy.
    private IEnumerable<SigningKey> Unneeded(IReadOnlyList<SigningKey> keys) => keys.Where(key =>
        IsOurs(key)
        && StateOf(key, keys) == SigningKeyState.Verifies
        && NeededUntil(key, keys) <= Now);

    private SigningKey Create(IReadOnlyList<SigningKey> keys, TimeSpan delay)
    {
        var now = SigningKeyText.Truncate(Now);
        var activeFrom = now + delay;
        if (keys.Any(key => key.ActiveFrom == activeFrom))
        {
            activeFrom += TimeSpan.FromMilliseconds(1); // of two that begin at once, the new one must win
        }

        return SigningKey.Create(settings.Algorithm, now, activeFrom);
    }
}

/// <summary>What a signing key is used for.</summary>
internal enum SigningKeyState
{
    /// <summary>It will sign; until then it is made known.</summary>
    Next,

    /// <summary>It signs.</summary>
    Signs,

    /// <summary>It signed before; what it signed is accepted.</summary>
    Verifies,

    /// <summary>It is of another algorithm than the configured one.</summary>
    Unused,
}
