using Gateway.Server.Requests.Redis;

namespace Gateway.Server.Store.Identities;

/// <summary>Identities in Redis: one hash, a field for each person.</summary>
internal sealed class RedisIdentityStore(RedisConnection redis, bool ownsConnection = false) : IIdentityStore
{
    private const string Name = "identities";

    // A field holds the version, a blank, and the document.
    private const string Write =
        """
        local old = redis.call('HGET', KEYS[1], ARGV[1])
        local version = old and string.match(old, '^%d+') or '0'
        if version ~= ARGV[2] then return 0 end
        redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
        return 1
        """;

    /// <inheritdoc/>
    public Task<StoredIdentity?> FindAsync(string method, string name, CancellationToken cancellationToken) =>
        redis.EvaluateAsync(
        "return redis.call('HGET', KEYS[1], ARGV[1])",
        [redis.Key(Name)],
        [FieldOf(method, name)],
        static result => (string?)result is { } text ? Read(text) : null,
        cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<StoredIdentity>> ListAsync(CancellationToken cancellationToken) =>
        redis.EvaluateAsync<IReadOnlyList<StoredIdentity>>(
            "return redis.call('HVALS', KEYS[1])",
            [redis.Key(Name)],
            [],
            static result => [
                .. ((string?[]?)result ?? []).Select(static text => Read(text!)).OrderBy(
                    static one => (one.Method, one.Name)),
            ],
            cancellationToken);

    /// <inheritdoc/>
    public async Task<StoredIdentity?> WriteAsync(StoredIdentity identity, CancellationToken cancellationToken)
    {
        var next = identity with { Version = identity.NextVersion() };
        var isWritten = await redis.EvaluateAsync(
            Write,
            [redis.Key(Name)],
            [
                FieldOf(next.Method, next.Name), identity.Version,
                FormattableString.Invariant($"{next.Version} ") + next.Write(),
            ],
            static result => (int)result == 1,
            cancellationToken);
        return isWritten ? next : null;
    }

    /// <inheritdoc/>
    public Task<bool> RemoveAsync(string method, string name, CancellationToken cancellationToken) =>
        redis.EvaluateAsync(
        "return redis.call('HDEL', KEYS[1], ARGV[1])",
        [redis.Key(Name)],
        [FieldOf(method, name)],
        static result => (int)result > 0,
        cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ownsConnection ? redis.DisposeAsync() : ValueTask.CompletedTask;

    // No method holds a blank.
    private static string FieldOf(string method, string name) => $"{method} {name}";

    private static StoredIdentity Read(string text)
    {
        var blank = text.IndexOf(' ', StringComparison.Ordinal);
        return StoredIdentity.Read(
            text[(blank + 1)..], long.Parse(text.AsSpan(0, blank), System.Globalization.CultureInfo.InvariantCulture));
    }
}
