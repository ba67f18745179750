using System.Globalization;
using Gateway.Core.Authorization;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Redis;
using StackExchange.Redis;

namespace Gateway.Server.Store.State;

/// <summary>Credentials in a Redis that replicas share.</summary>
internal sealed class RedisCredentialStore : ICredentialStore
{
    private const string Channel = "changed";
    private const int PageSize = 1000;

    // How far back changes are read again where another server may answer: it may lack the last ones, and its clock,
    // which positions follow, may be behind. Longer than any clock that somebody looks after is wrong.
    private const long ReadAgain = 60_000_000; // microseconds

    private readonly RedisConnection _redis;
    private readonly RedisOptions _options;
    private readonly RedisPersistence _persistence;
    private readonly bool _ownsConnection;
    // changes of the last minute that were given out, with their positions
    private readonly Dictionary<string, long> _given = [];
    private RedisEpoch? _changesOf;
    private RedisEpoch? _blocksOf;

    /// <param name="redis">The connection.</param>
    /// <param name="options">What it was made of.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Told where Redis may forget.</param>
    /// <param name="ownsConnection">Whether the connection ends with the store.</param>
    public RedisCredentialStore(
        RedisConnection redis,
        RedisOptions options,
        TimeProvider time,
        ILogger<RedisCredentialStore> logger,
        bool ownsConnection = false)
    {
        _redis = redis;
        _options = options;
        _persistence = new RedisPersistence(redis, options, time, logger);
        _ownsConnection = ownsConnection;
    }

    /// <inheritdoc/>
    public event Action? Changed;

    /// <summary>Begins to listen for changes by other replicas. Redis need not be there yet.</summary>
    public Task ListenAsync()
    {
        _redis.Restored += () => Changed?.Invoke(); // what was published meanwhile was lost
        return _redis.SubscribeAsync(Channel, _ => Changed?.Invoke());
    }

    /// <inheritdoc/>
    public async Task AddAsync(StoredCredential credential, CancellationToken cancellationToken)
    {
        await _persistence.EnsureAsync(cancellationToken);
        var end = credential.RevokedAt is { } revoked && revoked < credential.ExpiresAt
            ? revoked
            : credential.ExpiresAt;
        var kept = credential.KeptUntil;
        await RunAsync(
            RedisScripts.Add,
            cancellationToken,
            credential.Id,
            Hex(credential.Hash),
            credential.Owner.ToString(),
            CredentialDocument.Write(credential),
            Ticks(credential.CreatedAt),
            Ticks(credential.ExpiresAt),
            Milliseconds(kept > end ? kept.Value : end),
            credential.RevokedAt is null ? "" : Ticks(credential.RevokedAt.Value),
            credential.LastUsedAt is null ? "" : Ticks(credential.LastUsedAt.Value),
            credential.LastUsedFrom?.ToString() ?? "",
            credential.Identity is { } identity ? Hex(identity) : "",
            kept is null ? "" : Ticks(kept.Value),
            kept is null ? "" : Milliseconds(kept.Value));
    }

    /// <inheritdoc/>
    public async Task<StoredCredential?> FindAsync(SecretHash hash, CancellationToken cancellationToken) =>
        ReadAll(await RunAsync(RedisScripts.FindByHash, cancellationToken, Hex(hash)), out _).SingleOrDefault();

    /// <inheritdoc/>
    public async Task<StoredCredential?> FindAsync(string id, CancellationToken cancellationToken) =>
        ReadAll(await RunAsync(RedisScripts.FindById, cancellationToken, id), out _).SingleOrDefault();

    /// <inheritdoc/>
    public async Task<StoredCredential?> FindByIdentityAsync(
        SecretHash identity, CancellationToken cancellationToken) =>
        ReadAll(await RunAsync(RedisScripts.FindByIdentity, cancellationToken, Hex(identity)), out _).SingleOrDefault();

    /// <inheritdoc/>
    public async Task<IReadOnlyList<StoredCredential>> ListAsync(Subject? owner, CancellationToken cancellationToken)
    {
        var all = new List<StoredCredential>();
        RedisValue below = "+inf";
        while (true)
        {
            // In pages: Redis serves nobody else while a script runs.
            var page = ReadAll(
                await RunAsync(RedisScripts.List, cancellationToken, owner?.ToString() ?? "", below, PageSize),
                out var last);
            all.AddRange(page);
            if (page.Count < PageSize)
            {
                // stable: then the latest added
                return [.. all.OrderByDescending(static credential => credential.CreatedAt)];
            }

            below = "(" + last;
        }
    }

    /// <inheritdoc/>
    public async Task<bool> RevokeAsync(string id, DateTimeOffset at, CancellationToken cancellationToken) =>
        Told((int)await RunAsync(
            RedisScripts.Revoke, cancellationToken, id, Ticks(at), Milliseconds(at), _options.KeyPrefix + Channel) > 0);

    /// <inheritdoc/>
    public async Task<int> RevokeAllAsync(Subject owner, DateTimeOffset at, CancellationToken cancellationToken)
    {
        var count = (int)await RunAsync(
            RedisScripts.RevokeAll,
            cancellationToken,
            owner.ToString(),
            Ticks(at),
            Milliseconds(at),
            _options.KeyPrefix + Channel);
        Told(true); // also where nothing was stored: access tokens are revoked
        return count;
    }

    /// <inheritdoc/>
    public async Task<bool> ShortenAsync(string id, DateTimeOffset expiresAt, CancellationToken cancellationToken) =>
        Told((int)await RunAsync(
            RedisScripts.Shorten,
            cancellationToken,
            id,
            Ticks(expiresAt),
            Milliseconds(expiresAt),
            _options.KeyPrefix + Channel) > 0);

    /// <inheritdoc/>
    public async Task RecordUsesAsync(IReadOnlyCollection<CredentialUse> uses, CancellationToken cancellationToken)
    {
        foreach (var page in uses.Chunk(PageSize))
        {
            await RunAsync(
                RedisScripts.RecordUses,
                cancellationToken,
                [.. page.SelectMany(static use => new RedisValue[] { use.Id, Ticks(use.At), use.Address.ToString() })]);
        }
    }

    /// <inheritdoc/>
    public async Task<ChangePage> ReadChangesAsync(long position, CancellationToken cancellationToken)
    {
        var epoch = _redis.Epoch; // before asking: one that changes meanwhile is seen at the next reading
        var isAgain = epoch != Volatile.Read(ref _changesOf);
        if (isAgain)
        {
            position = Math.Max(0, position - ReadAgain);
        }

        var result = (RedisResult[])(await RunAsync(RedisScripts.ReadChanges, cancellationToken, position, PageSize))!;
        Volatile.Write(ref _changesOf, epoch);
        var changes = new List<CredentialChange>(result.Length / 2);
        lock (_given)
        {
            for (var i = 0; i + 1 < result.Length; i += 2)
            {
                var member = (string)result[i]!;
                position = (long)(double)result[i + 1];
                if (_given.TryAdd(member, position) || !isAgain)
                {
                    changes.Add(ParseChange(member));
                }
            }

            foreach (var old in _given.Where(one => one.Value < position - ReadAgain).ToList())
            {
                _given.Remove(old.Key);
            }
        }

        return new ChangePage(position, changes);
    }

    /// <inheritdoc/>
    public async Task<BlockPage> ReadBlocksAsync(string version, CancellationToken cancellationToken)
    {
        var epoch = _redis.Epoch;
        // versions are counted, so another server's say nothing
        var known = epoch == Volatile.Read(ref _blocksOf) ? version : "";
        var values = (string?[])(await RunAsync(RedisScripts.ReadBlocks, cancellationToken, known))!;
        Volatile.Write(ref _blocksOf, epoch);
        return values.Length == 0
            ? new BlockPage(version, null)
            : new BlockPage(values[0]!, [.. values.Skip(1).Select(static value => ReadBlock(value!))]);
    }

    /// <inheritdoc/>
    // Not refused where Redis may forget: that would admit a blocked subject at once, and not perhaps later.
    public async Task<bool> WriteBlockAsync(SubjectBlock block, CancellationToken cancellationToken) =>
        Told((int)await RunAsync(
            RedisScripts.WriteBlock,
            cancellationToken,
            block.Subject,
            Ticks(block.ChangedAt),
            block.Write(),
            _options.KeyPrefix + Channel,
            Ticks(block.Replaces ?? block.ChangedAt)) > 0);

    /// <summary>Reads a field of the hash of blocks: the instant of its last change, and the record.</summary>
    /// <exception cref="StateException">It is not understood.</exception>
    public static SubjectBlock ReadBlock(string value) =>
        SubjectBlock.Read(value[(value.IndexOf(' ', StringComparison.Ordinal) + 1)..]);

    /// <summary>
    /// Whether this is a whole field of that hash: of a subject, and of the instant that its record says.
    /// </summary>
    public static bool IsBlock(string subject, string value)
    {
        try
        {
            var block = ReadBlock(value);
            return block.Subject == subject && value.StartsWith(Ticks(block.ChangedAt) + " ", StringComparison.Ordinal);
        }
        catch (StateException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public async Task<int> PruneAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        var total = 0;
        int[] counts;
        do
        {
            // In pages: Redis serves nobody else while a script runs.
            counts = (int[])(await RunAsync(
                RedisScripts.Prune,
                cancellationToken,
                Ticks(before),
                Milliseconds(before),
                PageSize,
                (long)ICredentialStore.KeptUnlessKnown.TotalMilliseconds))!;
            total += counts[2];
        }
        while (counts[0] == PageSize || counts[1] == PageSize);
        return total;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _ownsConnection ? _redis.DisposeAsync() : ValueTask.CompletedTask;

    private static RedisValue Ticks(DateTimeOffset instant) =>
        instant.UtcTicks.ToString("D19", CultureInfo.InvariantCulture);

    private static RedisValue Milliseconds(DateTimeOffset instant) => instant.ToUnixTimeMilliseconds();

    private static RedisValue Hex(SecretHash hash) => Convert.ToHexStringLower(hash.ToBytes());

    private async Task<RedisResult> RunAsync(
        string script, CancellationToken cancellationToken, params RedisValue[] values)
    {
        var answer = await _redis.EvaluateAsync(
            script, [_redis.Key("")], values, static result => (RedisResult[])result!, cancellationToken);
        return (string?)answer[0] switch
        {
            "ok" => answer[^1],
            "duplicate" => throw new StateException("A credential with this id or secret already exists."),
            _ => throw new StateException(
                $"Redis at {_options.Place} has tokens of schema version {(string?)answer[1]} "
                + $"under \"{_options.KeyPrefix}\", but this gateway supports version {RedisScripts.SchemaVersion}: "
                + "a newer gateway wrote them. Run that version."),
        };
    }

    private bool Told(bool changed)
    {
        if (changed)
        {
            Changed?.Invoke(); // now, and not when Redis sends it back
        }

        return changed;
    }

    private static List<StoredCredential> ReadAll(RedisResult result, out string last)
    {
        var found = new List<StoredCredential>();
        last = "";
        foreach (var entry in (RedisResult[])result!)
        {
            var parts = (RedisResult[])entry!;
            var id = (string)parts[0]!;
            var fields = (string?[])parts[1]!;
            last = fields[7] ?? "";
            try
            {
                found.Add(CredentialDocument.Read(
                    id,
                    fields[0] ?? throw new FormatException("the document is missing."),
                    new CredentialState(
                        SecretHash.FromBytes(Convert.FromHexString(fields[1] ?? "")),
                        fields[8] is null ? null : SecretHash.FromBytes(Convert.FromHexString(fields[8]!)),
                        ParseTicks(fields[2]),
                        ParseTicks(fields[3]),
                        fields[9] is null ? null : ParseTicks(fields[9]),
                        fields[4] is null ? null : ParseTicks(fields[4]),
                        fields[5] is null ? null : ParseTicks(fields[5]),
                        fields[6] is "" ? null : fields[6])));
            }
            catch (Exception exception) when (exception is FormatException or ArgumentException or OverflowException)
            {
                throw new StateException($"The credential \"{id}\" in Redis cannot be read: {exception.Message}",
                    exception);
            }
        }

        return found;
    }

    // "position kind at key", as the scripts write it.
    private static CredentialChange ParseChange(string member)
    {
        var parts = member.Split(' ', 4);
        try
        {
            return new CredentialChange(
                CredentialDocument.Parse<CredentialChangeKind>(parts[1]),
                parts[3],
                CredentialDocument.Instant(ParseTicks(parts[2])));
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException or OverflowException
            or IndexOutOfRangeException)
        {
            throw new StateException($"A change in Redis cannot be read: {exception.Message}", exception);
        }
    }

    private static long ParseTicks(string? text) =>
        long.Parse(text ?? throw new FormatException("an instant is missing."), CultureInfo.InvariantCulture);
}
