using System.Net;
using Gateway.Foundation.Configuration;
using StackExchange.Redis;

namespace Gateway.Server.Requests.Redis;

/// <summary>
/// How the library is set up for the servers of the section <c>redis</c>, and what must be true of them.
/// </summary>
internal sealed class RedisTopology(RedisOptions options, RedisTrust trust, TimeSpan longest)
{
    private const int DefaultPort = 6379;
    private const int DefaultSentinelPort = 26379;
    private const int ConnectTimeout = 5000; // milliseconds

    /// <summary>Connects once, and leaves nothing behind where it fails.</summary>
    /// <param name="observe">Told of each attempt.</param>
    /// <returns>The connection to what keeps the keys, and that to the Sentinels.</returns>
    /// <exception cref="RedisTopologyException">The servers are not what the section says.</exception>
    public async Task<(ConnectionMultiplexer Servers, ConnectionMultiplexer? Sentinels)> ConnectAsync(
        Action<RedisAttempt> observe)
    {
        if (options.Sentinel is not { } sentinel)
        {
            var endpoints = options.Servers.Count > 0 ? options.Servers : [options.Server];
            return (await ConnectAsync(endpoints.Select(static text => EndPointOf(text, DefaultPort)), observe), null);
        }

        var configuration = Configure(
            sentinel.Servers.Select(static text => EndPointOf(text, DefaultSentinelPort)), isSentinel: true, observe);
        (configuration.User, configuration.Password, configuration.DefaultDatabase) =
            (sentinel.Username, sentinel.Password, null);
        var sentinels = await ConnectionMultiplexer.SentinelConnectAsync(configuration);
        try
        {
            var primary = await FindPrimaryAsync(sentinels) ?? throw new RedisTopologyException(new RedisReason(
                $"cannot be found: the Sentinels know no service \"{sentinel.Service}\". See redis.sentinel.service.",
                RedisFault.Sentinel));
            return (await ConnectAsync(primary, observe), sentinels);
        }
        catch
        {
            await sentinels.DisposeAsync();
            throw;
        }
    }

    /// <summary>Connects to the server that the Sentinels name, and to no other.</summary>
    /// <remarks>
    /// The library's own way also connects to its replicas. When the one that failed starts again, it takes itself for
    /// the primary for seconds, and some gateways wrote there what then was lost.
    /// </remarks>
    /// <exception cref="RedisTopologyException">It is no primary.</exception>
    public Task<ConnectionMultiplexer> ConnectAsync(EndPoint primary, Action<RedisAttempt> observe) =>
        ConnectAsync([primary], observe);

    /// <summary>Which server most Sentinels that answer name; <see langword="null"/>: none, or they differ.</summary>
    public async Task<EndPoint?> FindPrimaryAsync(ConnectionMultiplexer sentinels)
    {
        var named = await Task.WhenAll(
            sentinels.GetServers().Where(static server => server.IsConnected).Select(AskAsync));
        var most = named.OfType<EndPoint>()
            .GroupBy(static primary => primary)
            .OrderByDescending(static group => group.Count()).ToList();
        return most is [var first, .. var others] && others.All(other => other.Count() < first.Count())
            ? first.Key
            : null;

        async Task<EndPoint?> AskAsync(IServer server)
        {
            try
            {
                return await server.SentinelGetMasterAddressByNameAsync(options.Sentinel!.Service);
            }
            catch (Exception exception) when (exception is RedisException or TimeoutException)
            {
                return null; // the others may know
            }
        }
    }

    /// <summary>Whether there is one server, and it is no primary.</summary>
    public static bool IsReplica(ConnectionMultiplexer servers) =>
        servers.GetServers() is [{ IsConnected: true, IsReplica: true, ServerType: ServerType.Standalone }];

    private async Task<ConnectionMultiplexer> ConnectAsync(
        IEnumerable<EndPoint> endpoints, Action<RedisAttempt> observe)
    {
        var servers = await ConnectionMultiplexer.ConnectAsync(Configure(endpoints, isSentinel: false, observe));
        try
        {
            await CheckAsync(servers);
            return servers;
        }
        catch
        {
            await servers.DisposeAsync();
            throw;
        }
    }

    private async Task CheckAsync(ConnectionMultiplexer servers)
    {
        await CheckUserAsync(servers);
        var isCluster = await IsClusterAsync(servers);
        var problem = isCluster && !options.HasHashTag ? RedisTopologyException.NoHashTag
            : !isCluster && options.Servers.Count > 0
                ? new RedisReason(
                    "is not a cluster. Name a single server as redis.server, or Sentinels as redis.sentinel.",
                    RedisFault.Cluster)
            : !IsReplica(servers) ? null
            : options.Sentinel is null ? RedisTopologyException.Replica
            : new RedisReason(
                "cannot be used yet: the Sentinels name a server that is a replica, as during a fail-over.",
                RedisFault.ReadOnly);
        if (problem is not null)
        {
            throw new RedisTopologyException(problem);
        }
    }

    // By their own word: the library does not know it of a node that has no slots yet.
    private static async Task<bool> IsClusterAsync(ConnectionMultiplexer servers)
    {
        foreach (var server in servers.GetServers().Where(static server => server.IsConnected))
        {
            try
            {
                if (server.ServerType == ServerType.Cluster
                    || (await server.InfoRawAsync("cluster"))?.Contains(
                        "cluster_enabled:1", StringComparison.Ordinal) == true)
                {
                    return true;
                }
            }
            catch (RedisServerException)
            {
                // It may not be asked, and what it refuses later tells.
            }
        }

        return false;
    }

    // Where the default user needs no password, the library goes on as that one after its sign-in was refused.
    private async Task CheckUserAsync(ConnectionMultiplexer servers)
    {
        if (options.Username is null)
        {
            return;
        }

        try
        {
            var name = (string?)await servers.GetDatabase().ExecuteAsync("ACL", "WHOAMI");
            if (name != options.Username)
            {
                throw new RedisTopologyException(RedisTopologyException.UserRefused);
            }
        }
        catch (RedisServerException)
        {
            // It lacks that right, so it is not the default user that may do everything.
        }
    }

    private ConfigurationOptions Configure(
        IEnumerable<EndPoint> endpoints, bool isSentinel, Action<RedisAttempt> observe)
    {
        var named = endpoints.ToHashSet();
        var configuration = new ConfigurationOptions
        {
            // The first connection is tried again here and not by the library, which would keep its reasons to itself.
            AbortOnConnectFail = true,
            ConnectRetry = 1,
            ConnectTimeout = ConnectTimeout,
            AllowAdmin = true, // INFO and CONFIG GET; nothing else that it allows is used
            // four of them without an answer, and the connection is made anew
            AsyncTimeout = (int)longest.TotalMilliseconds,
            BacklogPolicy = BacklogPolicy.FailFast, // nobody waits for a server that is known to be unavailable
            ClientName = "gateway",
            ConfigurationChannel = "",
            DefaultDatabase = options.Database,
            KeepAlive = 5, // seconds
            Password = options.Password,
            Protocol = RedisProtocol.Resp3, // a server without it is spoken to in RESP2
            ReconnectRetryPolicy = new LinearRetry(500), // milliseconds
            SetClientLibrary = false, // needs a right that Redis 7.0 cannot give
            Ssl = options.Tls,
            TieBreaker = "", // no keys and channels of the library's own
            User = options.Username,
        };
        configuration.CertificateValidation += trust.Validate;
        configuration.ConnectionAttemptCompleted += (_, attempt) =>
        {
            // A node that has met no other lists itself without an address, ":6379", which the library takes for the
            // name of one more.
            if (attempt.EndPoint is { } endpoint and not DnsEndPoint { Host: [':', ..] })
            {
                observe(new RedisAttempt(attempt, isSentinel, named.Contains(endpoint)));
            }
        };
        foreach (var endpoint in named)
        {
            configuration.EndPoints.Add(endpoint);
        }

        return configuration;
    }

    private static EndPoint EndPointOf(string text, int defaultPort)
    {
        if (!HostName.TryParse(text, out var server))
        {
            throw new ArgumentException("not a host", nameof(text)); // the validator has seen to it
        }

        var host = server.Host.Trim('[', ']');
        var port = server.Port ?? defaultPort;
        return IPAddress.TryParse(host, out var address) ? new IPEndPoint(address, port) : new DnsEndPoint(host, port);
    }
}
