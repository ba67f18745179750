using System.Collections.Concurrent;
using Gateway.Foundation.Configuration;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Redis;
using StackExchange.Redis;

namespace Gateway.Server.Store.Keys;

/// <summary>Signing keys in a hash in Redis: field id, value <see cref="SigningKeyText"/>, sealed.</summary>
/// <remarks>
/// A field counts the changes. A change says which count it was decided on, and Redis refuses it if there is another by
/// now: of two replicas that start at once, the second finds the first one's key.
/// </remarks>
internal sealed class RedisKeyStore : ISigningKeyStore
{
    private const string CountField = "changes";
    private const int MostAttempts = 20;
    private const string ReadScript = "return redis.call('HGETALL', KEYS[1])";

    // ARGV: the count it was decided on, the id and the text to add or two empty ones, then the ids to remove.
    private const string ChangeScript = """
        if (redis.call('HGET', KEYS[1], 'changes') or '0') ~= ARGV[1] then return 0 end
        if ARGV[2] ~= '' then redis.call('HSET', KEYS[1], ARGV[2], ARGV[3]) end
        for i = 4, #ARGV do redis.call('HDEL', KEYS[1], ARGV[i]) end
        redis.call('HINCRBY', KEYS[1], 'changes', 1)
        return 1
        """;

    private readonly RedisConnection _redis;
    private readonly RedisKey _hash;
    private readonly string _password;

    // Opening a sealed key takes a quarter of a second, by design: once for each text, not at each look.
    private readonly ConcurrentDictionary<string, Opened> _opened = new(StringComparer.Ordinal);

    public RedisKeyStore(RedisConnection redis, string password)
    {
        _redis = redis;
        _hash = redis.Key("keys");
        _password = password;
    }

    /// <summary>Where the keys are, for messages.</summary>
    public string Source => $"Redis, hash {(string)_hash!}";

    public async Task<IReadOnlyList<SigningKey>> ReadAsync(CancellationToken cancellationToken) =>
        (await ReadHashAsync(cancellationToken)).Keys;

    public async Task<KeyChange> ChangeAsync(
        Func<IReadOnlyList<SigningKey>, KeyChange> decide, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < MostAttempts; attempt++)
        {
            var (keys, count) = await ReadHashAsync(cancellationToken);
            var change = decide(keys);
            if (change.IsNone)
            {
                return change;
            }

            var text = change.Added is { } added ? SigningKeyText.Write(added, _password) : "";
            RedisValue[] values =
            [
                count, change.Added?.Id ?? "", text, .. change.Removed.Select(static key => (RedisValue)key.Id),
            ];
            if (await _redis.EvaluateAsync(
                ChangeScript, [_hash], values, static result => (int)result == 1, cancellationToken))
            {
                if (change.Added is not null)
                {
                    _opened[text] = new Opened(change.Added, null);
                }

                return change;
            }
        }

        throw new StateException("The signing keys in Redis keep changing; try again.");
    }

    private async Task<(IReadOnlyList<SigningKey> Keys, string Count)> ReadHashAsync(
        CancellationToken cancellationToken)
    {
        var fields = await _redis.EvaluateAsync(
            ReadScript, [_hash], [], static result => (RedisValue[]?)result ?? [], cancellationToken);
        var count = "0";
        var texts = new HashSet<string>(StringComparer.Ordinal);
        var opened = new List<Opened>();
        for (var i = 0; i + 1 < fields.Length; i += 2)
        {
            var (id, text) = ((string)fields[i]!, (string)fields[i + 1]!);
            if (id == CountField)
            {
                count = text;
            }
            else
            {
                texts.Add(text);
                var one = _opened.GetOrAdd(
                    text, static (text, at) => at.Store.Open(at.Id, text), (Store: this, Id: id));
                opened.Add(one.Key is null || one.Key.Id == id ? one : new Opened(null, new Problem(
                    SourceOf(id), "a different key is stored under this id", one.Key.Id,
                    "Remove the field: redis-cli HDEL.")));
            }
        }

        foreach (var gone in _opened.Keys.Where(text => !texts.Contains(text)))
        {
            _opened.TryRemove(gone, out _);
        }

        var problems = opened.Select(static one => one.Problem).OfType<Problem>().ToList();
        return problems.Count > 0
            ? throw new ProblemException(problems)
            : ([.. opened.Select(static one => one.Key!)], count);
    }

    private string SourceOf(string id) => $"{Source}, field {id}";

    private Opened Open(string id, string text)
    {
        try
        {
            return new Opened(SigningKeyText.Read(SourceOf(id), text, _password, DateTimeOffset.UnixEpoch), null);
        }
        catch (ProblemException exception)
        {
            return new Opened(null, exception.Problems[0]);
        }
    }

    // What cannot be opened is remembered as well: trying again costs as much.
    private sealed record Opened(SigningKey? Key, Problem? Problem);
}
