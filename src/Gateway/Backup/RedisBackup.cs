using System.Globalization;
using System.Text;
using System.Text.Json;
using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Redis;
using Gateway.Server.Store.Keys;
using Gateway.Server.Store.State;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;

namespace Gateway.Backup;

/// <summary>Exports the gateway's permanent data in Redis as lines of JSON, and imports it.</summary>
/// <remarks>
/// By value and not by DUMP, whose format depends on Redis's version: an older Redis refuses that of a newer one. Each
/// line is one item (a credential, a change, a field of a hash); the indexes are rebuilt from them.
/// </remarks>
internal sealed class RedisBackup : IAsyncDisposable
{
    /// <summary>Its name in an archive.</summary>
    public const string FileName = "redis.jsonl";

    private const int PageSize = 500;
    private const int MostRounds = 1000;

    // A backup is not a request: no client waits for it.
    private static readonly TimeSpan Budget = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongBudget = TimeSpan.FromMinutes(5);
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private readonly RedisOptions _options;
    private readonly RedisConnection _redis;
    private readonly bool _hasState;
    private readonly bool _hasKeys;

    /// <param name="options">The configuration, with the section <c>redis</c>.</param>
    public RedisBackup(GatewayOptions options)
    {
        _options = options.Redis!;
        _redis = new RedisConnection(
            _options, TimeProvider.System, NullLogger<RedisConnection>.Instance, Budget, LongBudget);
        _hasState = options.State.Store == StateStoreKind.Redis;
        _hasKeys = options.Tokens.Keys.Store == SigningKeyStoreKind.Redis;
    }

    /// <summary>Whether a configuration stores permanent data in Redis.</summary>
    public static bool IsNeeded(GatewayOptions options) =>
        options.State.Store == StateStoreKind.Redis || options.Tokens.Keys.Store == SigningKeyStoreKind.Redis;

    /// <summary>Where it is, for messages.</summary>
    public string Place => $"Redis at {_options.Place}, \"{_options.KeyPrefix}\"";

    /// <summary>Exports everything, while gateways keep running.</summary>
    /// <returns>How many credentials.</returns>
    /// <exception cref="StateException">Redis is unreachable, or holds unknown data.</exception>
    /// <exception cref="ProblemException">There are no signing keys where they should be.</exception>
    public async Task<int> ExportAsync(Stream output, CancellationToken cancellationToken)
    {
        await using var writer = new StreamWriter(output, Strict, leaveOpen: true) { NewLine = "\n" };
        var count = 0;
        if (_hasState)
        {
            count = await ExportStateAsync(writer, cancellationToken);
            await ExportHashAsync(writer, "identities", cancellationToken);
            await ExportHashAsync(writer, "blocks", cancellationToken);
        }

        // Last: the keys that encrypt the state existed before it.
        if (_hasKeys)
        {
            await ExportHashAsync(writer, "data-protection", cancellationToken);
            if (await ExportHashAsync(writer, "keys", cancellationToken) == 0)
            {
                throw new ProblemException(new Problem(
                    Place, "there are no signing keys here", null,
                    "Name the running gateway's configuration, and set the GATEWAY__ variables that it has, if any."));
            }
        }

        return count;
    }

    /// <summary>Why the store cannot be replaced: a gateway listens to its changes, or it has content.</summary>
    /// <param name="mayReplace">Whether its content may be moved aside.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async Task<Problem?> FindObstacleAsync(bool mayReplace, CancellationToken cancellationToken)
    {
        if (await _redis.CountListenersAsync("changed", cancellationToken) > 0)
        {
            return Describe("running");
        }

        var found = (string)(await RunAsync(
            RedisBackupScripts.Obstacle, [""], [_options.KeyPrefix + "changed", mayReplace ? "1" : ""],
            cancellationToken))!;
        return Describe(found);
    }

    /// <summary>Imports the lines under a prefix that no gateway uses.</summary>
    /// <exception cref="ProblemException">A line is malformed.</exception>
    public async Task StageAsync(string stage, Stream input, CancellationToken cancellationToken)
    {
        await new RedisPersistence(_redis, _options, TimeProvider.System, NullLogger.Instance).EnsureAsync(
            cancellationToken);
        using var reader = new StreamReader(input, Strict, leaveOpen: true);
        var waiting = new List<Task>();
        var (number, credentials) = (0, 0);
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            number++;
            var read = Read(line, number);
            credentials += read.Kind == RedisLine.Credential ? 1 : 0;
            waiting.Add(RunAsync(RedisBackupScripts.Import, [stage], read.ToArguments(), cancellationToken));
            if (waiting.Count >= PageSize)
            {
                await Task.WhenAll(waiting);
                waiting.Clear();
            }
        }

        await Task.WhenAll(waiting);
        var staged = (long)await RunAsync(RedisBackupScripts.Count, [stage], [], cancellationToken);
        if (staged != credentials)
        {
            throw new StateException(
                $"{Place}: only {staged} of {credentials} tokens were written, so nothing was changed. Try again.");
        }
    }

    /// <summary>Replaces the store by the keys under a prefix, in one atomic step.</summary>
    /// <param name="stage">The prefix of the new keys.</param>
    /// <param name="aside">The prefix for the old keys.</param>
    /// <param name="mayReplace">Whether the store may have content.</param>
    /// <param name="keepBlocks">Whether newer blocks of the old store are kept.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>The subjects whose blocks were kept.</returns>
    /// <exception cref="ProblemException">The store has content, or a gateway runs; nothing was changed.</exception>
    public async Task<IReadOnlyList<string>> SwitchAsync(
        string stage, string aside, bool mayReplace, bool keepBlocks, CancellationToken cancellationToken)
    {
        // The script sees only listeners on its own server; in a cluster a gateway may listen on any server.
        if (await _redis.CountListenersAsync("changed", cancellationToken) > 0)
        {
            throw new ProblemException(Describe("running")!);
        }

        var answer = (string[])(await RunAsync(
            RedisBackupScripts.Switch,
            ["", stage, aside],
            [_options.KeyPrefix + "changed", mayReplace ? "1" : "", keepBlocks ? "1" : ""],
            cancellationToken,
            LongBudget))!;
        return Describe(answer[0]) is { } problem ? throw new ProblemException(problem) : answer[1..];
    }

    /// <summary>Removes the keys under a prefix of a restore.</summary>
    public Task RemoveAsync(string stage) =>
        RunAsync(RedisBackupScripts.Remove, [stage], [], CancellationToken.None, LongBudget);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _redis.DisposeAsync();

    private Problem? Describe(string answer) => answer switch
    {
        "running" => new Problem(Place, "a gateway is using this store", null, "Stop all replicas first."),
        "occupied" => new Problem(
            Place, "it has tokens or keys already", null,
            "Set another redis.keyPrefix, or give --force to move the existing data aside, to another prefix."),
        _ => null,
    };

    private async Task<int> ExportStateAsync(StreamWriter writer, CancellationToken cancellationToken)
    {
        var schema = Text((RedisValue)await RunAsync(RedisBackupScripts.Schema, [""], [], cancellationToken));
        if (schema is not (null or RedisScripts.SchemaVersion))
        {
            throw new StateException(
                $"{Place} holds tokens of schema version {schema}, but this gateway knows version "
                    + $"{RedisScripts.SchemaVersion}: a newer gateway wrote them. Use that version's \"gateway "
                    + "backup\".");
        }

        var found = new Dictionary<string, RedisLine>(StringComparer.Ordinal);
        var begin = await ReadLastAsync(cancellationToken);
        RedisValue below = "+inf";
        for (var page = -1; page != 0;)
        {
            var rows = await ReadRowsAsync(RedisBackupScripts.Page, [below, PageSize], cancellationToken);
            rows.ForEach(row => found[row.Name] = row);
            page = rows.Count;
            below = page == 0 ? below : "(" + rows[^1].Values[0];
        }

        // Revocations while the pages were read: repeated until there are none, so everything confirmed by then is
        // included.
        var changes = await ReadChangesAsync(begin, found, cancellationToken);
        var last = await ReadHashAsync("last", cancellationToken);
        if (schema is not null)
        {
            await writer.WriteLineAsync(new RedisLine(RedisLine.Schema, "", [schema]).Write());
        }

        foreach (var row in found.Values)
        {
            await writer.WriteLineAsync(row.Write());
        }

        foreach (var change in changes)
        {
            await writer.WriteLineAsync(new RedisLine(RedisLine.Change, "", [change]).Write());
        }

        foreach (var (field, value) in last)
        {
            await writer.WriteLineAsync(new RedisLine(RedisLine.Field, "last", [field, value]).Write());
        }

        return found.Count;
    }

    private async Task<List<string>> ReadChangesAsync(
        double begin, Dictionary<string, RedisLine> found, CancellationToken cancellationToken)
    {
        var changes = new List<string>();
        RedisValue above = "-inf";
        for (var round = 0; round < MostRounds * PageSize; round++)
        {
            var members =
                (RedisValue[])(await RunAsync(RedisBackupScripts.Changes, [""], [above, PageSize], cancellationToken))!;
            if (members.Length == 0)
            {
                return changes;
            }

            var again = new List<RedisValue>();
            foreach (var member in members.Select(static member => Text(member)!))
            {
                changes.Add(member);
                var parts = member.Split(' ', 4);
                above = "(" + parts[0];
                if (parts.Length == 4 && found.ContainsKey(parts[3])
                    && double.Parse(parts[0], CultureInfo.InvariantCulture) > begin)
                {
                    again.Add(parts[3]);
                }
            }

            if (again.Count > 0)
            {
                again.ForEach(id => found.Remove((string)id!)); // one that was pruned meanwhile is missing
                var rows = await ReadRowsAsync(RedisBackupScripts.Rows, [.. again.Distinct()], cancellationToken);
                rows.ForEach(row => found[row.Name] = row);
            }
        }

        throw new StateException($"{Place}: tokens are revoked faster than they can be read. Try again.");
    }

    private async Task<double> ReadLastAsync(CancellationToken cancellationToken)
    {
        var last = (await ReadHashAsync("last", cancellationToken)).Find(static pair => pair.Field == "position").Value;
        return last is null ? 0 : double.Parse(last, CultureInfo.InvariantCulture);
    }

    private async Task<List<RedisLine>> ReadRowsAsync(
        string script, RedisValue[] values, CancellationToken cancellationToken)
    {
        var rows = new List<RedisLine>();
        foreach (var row in (RedisResult[])(await RunAsync(script, [""], values, cancellationToken))!)
        {
            // id, sequence, end, and the fields
            var texts = ((RedisValue[])row!).Select(value => Text(value)
                ?? throw new StateException($"{Place}: the data of a token is incomplete.")).ToArray();
            rows.Add(new RedisLine(RedisLine.Credential, texts[0], texts[1..]));
        }

        return rows;
    }

    private async Task<int> ExportHashAsync(StreamWriter writer, string name, CancellationToken cancellationToken)
    {
        var fields = await ReadHashAsync(name, cancellationToken);
        foreach (var (field, value) in fields)
        {
            await writer.WriteLineAsync(new RedisLine(RedisLine.Field, name, [field, value]).Write());
        }

        return fields.Count;
    }

    private async Task<List<(string Field, string Value)>> ReadHashAsync(
        string name, CancellationToken cancellationToken)
    {
        var values = (RedisValue[])(await RunAsync(RedisBackupScripts.Hash, [name], [], cancellationToken))!;
        return [.. values.Chunk(2).Select(static pair => (Text(pair[0])!, Text(pair[1])!))];
    }

    private static RedisLine Read(string line, int number)
    {
        try
        {
            return RedisLine.Read(line);
        }
        catch (Exception exception) when (exception is JsonException or FormatException)
        {
            throw new ProblemException(new Problem(
                FileName, FormattableString.Invariant($"line {number} is malformed"), null,
                "Restore it with the version of the gateway that created the backup."));
        }
    }

    private static string? Text(RedisValue value)
    {
        try
        {
            return value.IsNull ? null : Strict.GetString((byte[])value!);
        }
        catch (DecoderFallbackException exception)
        {
            throw new StateException(
                "Redis holds a value that is not text, so the gateway did not write it.", exception);
        }
    }

    private Task<RedisResult> RunAsync(
        string script, string[] names, RedisValue[] values, CancellationToken cancellationToken,
        TimeSpan? budget = null) =>
        _redis.EvaluateAsync(
            script, [.. names.Select(name => _redis.Key(name))], values, cancellationToken, budget ?? Budget);
}
