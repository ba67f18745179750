using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Gateway.Client.Doctor;
using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Redis;
using Gateway.Server.Store.Keys;
using Gateway.Server.Store.State;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Doctor;

/// <summary>Redis: whether it can be reached, accepts the gateway, and is fit to store the gateway's data.</summary>
internal sealed class RedisCheck : IServerCheck
{
    private const int DefaultPort = 6379;
    private const int DefaultSentinelPort = 26379;

    // Written, and removed immediately.
    private const string WriteProbe = "redis.call('SET', KEYS[1], 'doctor', 'PX', 1000) return redis.call('DEL', "
        + "KEYS[1])";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    public string Area => "RED";

    /// <inheritdoc/>
    public string Subject => "Redis";

    /// <inheritdoc/>
    public async Task RunAsync(ExaminedGateway examined, Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        if (examined.Options.Redis is not { } options)
        {
            return;
        }

        var subject = options.Place;
        if (!await IsReachedAsync(options, diagnosis, cancellationToken))
        {
            return;
        }

        var holdsTokens = examined.Options.State.Store == StateStoreKind.Redis
            || examined.Options.Tokens.Keys.Store == SigningKeyStoreKind.Redis;
        await using var redis = new RedisConnection(
            options, examined.Time, NullLogger<RedisConnection>.Instance, Timeout * 2);
        try
        {
            await InspectAsync(redis, options, holdsTokens, subject, diagnosis, cancellationToken);
            if (examined.Options.State.Store == StateStoreKind.Redis && !diagnosis.Has("RED", Severity.Error))
            {
                await using var store = examined.Options.OpenStore();
                StateCheck.Report(
                    await store.ListAsync(null, cancellationToken), subject, examined.Time.GetUtcNow(), diagnosis);
            }
        }
        catch (StateException exception)
        {
            diagnosis.Error(IdOf(exception), subject, exception.Message);
            return;
        }

        if (!diagnosis.Has(Area))
        {
            diagnosis.Pass(Area, subject, "it can be reached, accepts the gateway's sign-in, and accepts writes");
        }
    }

    private static async Task InspectAsync(
        RedisConnection redis, RedisOptions options, bool holdsTokens, string subject, Diagnosis diagnosis,
        CancellationToken cancellationToken)
    {
        try
        {
            await redis.EvaluateAsync(WriteProbe, [redis.Key("doctor")], [], cancellationToken);
        }
        catch (StateException exception)
        {
            diagnosis.Error(IdOf(exception), subject, exception.Message);
            return;
        }

        await InspectMemoryAsync(redis, holdsTokens, subject, diagnosis, cancellationToken);
        var persistence = Parse(await redis.ReadInfoAsync("persistence", cancellationToken));
        if (holdsTokens && persistence.GetValueOrDefault("aof_enabled") != "1")
        {
            Note(
                diagnosis, subject, "RED005", "appendonly no, although it holds tokens or keys",
                options.RequirePersistence,
                "redis-cli CONFIG SET appendonly yes, and the same in redis.conf, with appendfsync always");
        }
        else if (holdsTokens && await redis.ReadConfigurationAsync("appendfsync", cancellationToken) is { } flush
            and not "always")
        {
            diagnosis.Inform("RED009", subject, $"appendfsync {flush}");
        }

        if (options.Sentinel is not null && holdsTokens)
        {
            await InspectFailOverAsync(redis, subject, diagnosis, cancellationToken);
        }

        if (!options.Tls
            && AddressesOf(options).FirstOrDefault(static address => !IsNear(address.Host)) is { Host: { } far })
        {
            diagnosis.Warn("RED008", subject, $"redis.tls is false, and {far} is not on a private network");
        }
    }

    private static async Task InspectMemoryAsync(
        RedisConnection redis, bool holdsTokens, string subject, Diagnosis diagnosis,
        CancellationToken cancellationToken)
    {
        var memory = Parse(await redis.ReadInfoAsync("memory", cancellationToken));
        var most = Number(memory, "maxmemory");
        var used = Number(memory, "used_memory");
        var policy = memory.GetValueOrDefault("maxmemory_policy", "noeviction");
        if (most > 0 && used > most * 0.9)
        {
            diagnosis.Warn(
                "RED007", subject,
                string.Create(CultureInfo.InvariantCulture, $"{used >> 20} of {most >> 20} MiB are used"));
        }

        if (policy.StartsWith("allkeys", StringComparison.Ordinal) && most > 0)
        {
            Note(
                diagnosis, subject, "RED004", $"maxmemory-policy {policy}", holdsTokens,
                "redis-cli CONFIG SET maxmemory-policy noeviction, and the same in redis.conf");
        }
    }

    private static void Note(
        Diagnosis diagnosis, string subject, string id, string evidence, bool isError, string fix)
    {
        if (isError)
        {
            diagnosis.Error(id, subject, evidence, fix);
        }
        else
        {
            diagnosis.Warn(id, subject, evidence, fix);
        }
    }

    private static async Task InspectFailOverAsync(
        RedisConnection redis, string subject, Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        var replication = Parse(await redis.ReadInfoAsync("replication", cancellationToken));
        if (replication.GetValueOrDefault("connected_slaves", "0") == "0")
        {
            diagnosis.Warn("RED012", subject, "no replica is connected to the primary");
        }
        else if (await redis.ReadConfigurationAsync("min-replicas-to-write", cancellationToken) == "0")
        {
            diagnosis.Warn(
                "RED012", subject, "min-replicas-to-write 0: the primary accepts writes without a connected replica");
        }
    }

    // One that answers is enough. The others are reported, since a fail-over needs them.
    private static async Task<bool> IsReachedAsync(
        RedisOptions options, Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        var faults = new List<(string Id, string Subject, string Evidence)>();
        var addresses = AddressesOf(options);
        foreach (var (host, port) in addresses)
        {
            var subject = string.Create(CultureInfo.InvariantCulture, $"{host}:{port}");
            if (await FindFaultAsync(options, host, port, cancellationToken) is var (id, evidence))
            {
                faults.Add((id, subject, evidence));
            }
        }

        var isReached = faults.Count < addresses.Count;
        foreach (var (id, subject, evidence) in faults)
        {
            if (isReached)
            {
                diagnosis.Warn("RED011", subject, evidence);
            }
            else
            {
                diagnosis.Error(id, subject, evidence);
            }
        }

        return isReached;
    }

    private static async Task<(string Id, string Evidence)?> FindFaultAsync(
        RedisOptions options, string host, int port, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Timeout);
        using var socket = new TcpClient();
        try
        {
            await socket.ConnectAsync(host, port, limit.Token);
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return ("RED001",
                exception is SocketException
                    ? DoctorText.Of(exception)
                    : $"no connection within {DoctorText.Span(Timeout)}");
        }

        if (!options.Tls)
        {
            return null;
        }

        var trust = RedisTrust.Load(options);
        var isTrusted = true;
        await using var tls = new SslStream(
            socket.GetStream(),
            leaveInnerStreamOpen: false,
            (sender, certificate, chain, errors) => isTrusted = trust.Validate(sender, certificate, chain, errors));
        try
        {
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = host }, limit.Token);
            return null;
        }
        catch (Exception exception)
            when (exception is AuthenticationException or IOException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return ("RED003",
                isTrusted
                    ? DoctorText.Of(exception)
                    : $"its certificate is not trusted, or is for another name than {host}");
        }
    }

    /// <summary>The id of the problem behind a failure of Redis.</summary>
    internal static string IdOf(StateException exception) =>
        (exception as RedisFailureException)?.Fault switch
        {
            RedisFault.Cluster => "RED010",
            RedisFault.Sentinel => "RED013",
            RedisFault.SignIn => "RED002",
            RedisFault.Memory => "RED007",
            RedisFault.ReadOnly => "RED006",
            _ => "RED001",
        };

    // A name without a dot usually belongs to a container network.
    private static bool IsNear(string host) => IPAddress.TryParse(host, out var address)
        ? IPAddress.IsLoopback(address) || address.IsIPv6UniqueLocal
            || address.MapToIPv4().GetAddressBytes() is [10, ..] or [192, 168, ..] or [172, >= 16 and <= 31, ..]
        : !host.Contains('.', StringComparison.Ordinal) || host.EndsWith(".internal", StringComparison.Ordinal)
        || host.EndsWith(".local", StringComparison.Ordinal);

    private static List<(string Host, int Port)> AddressesOf(RedisOptions options)
    {
        var (texts, port) = options.Sentinel is { } sentinel ? (sentinel.Servers, DefaultSentinelPort)
            : (options.Servers.Count > 0 ? options.Servers : [options.Server], DefaultPort);
        return [.. texts.Select(text => HostName.TryParse(text, out var server)
            ? (server.Host.Trim('[', ']'), server.Port ?? port)
            : throw new ArgumentException("not a host", nameof(options)))]; // the validator ensures it
    }

    private static long Number(Dictionary<string, string> values, string name) =>
        long.TryParse(values.GetValueOrDefault(name), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : 0;

    private static Dictionary<string, string> Parse(string info) => info.Split('\n')
        .Select(static line => line.Trim().Split(':', 2)).Where(static pair => pair.Length == 2)
        .DistinctBy(static pair => pair[0]).ToDictionary(static pair => pair[0], static pair => pair[1]);
}
