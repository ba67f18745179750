using System.Net;
using Gateway.Hosting;
using StackExchange.Redis;

namespace Gateway.Redis;

/// <summary>How the library is set up for the servers of the section <c>redis</c>, and what must be true of them.</summary>
internal sealed class RedisTopology(RedisOptions options, RedisTrust trust, TimeSpan longest)
{
    private const int DefaultPort = 6379;
    private const int DefaultSentinelPort = 26379;
    private const int ConnectTimeout = 5000; // milliseconds

    /// <summary>
    /// Connects once, and leaves nothing behind where it fails.
    /// </summary>
    /// <param name="observe">Told of each attempt, and whether it was at a Sentinel.</param>
    /// <returns>The connection to what keeps the keys, and that to the Sentinels.</returns>
    /// <exception cref="RedisTopologyException">The servers are not what the section says.</exception>
    public async Task<(ConnectionMultiplexer Servers, ConnectionMultiplexer? Sentinels)> ConnectAsync(
        Action<ConnectionAttemptCompletedEventArgs, bool> observe)
    {
        if (options.Sentinel is not { } sentinel)
        {
            var endpoints = options.Servers.Count > 0 ? options.Servers : [options.Server];
            var servers = await ConnectionMultiplexer.ConnectAsync(Configure(endpoints, DefaultPort, observe));
            return (await CheckedAsync(servers), null);
        }

        var configuration = Configure(sentinel.Servers, DefaultSentinelPort, (attempt, _) => observe(attempt, true));
        (configuration.User, configuration.Password, configuration.DefaultDatabase) = (sentinel.Username, sentinel.Password, null);
        var sentinels = await ConnectionMultiplexer.SentinelConnectAsync(configuration);
        try
        {
            return (await FollowAsync(sentinel.Service, sentinels, observe), sentinels);
        }
        catch
        {
            await sentinels.DisposeAsync();
            throw;
        }
    }

    // The library's own way to a primary drops the connections of its failed attempts without closing them, and does not tell why
    // it failed. So the primary is tried first.
    private async Task<ConnectionMultiplexer> FollowAsync(
        string service, ConnectionMultiplexer sentinels, Action<ConnectionAttemptCompletedEventArgs, bool> observe)
    {
        var primary = await FindPrimaryAsync(service, sentinels) ?? throw new RedisTopologyException(
            $"the Sentinels know no service \"{service}\". See redis.sentinel.service.");
        var configuration = Configure([], DefaultPort, observe);
        configuration.EndPoints.Add(primary);
        await using (var tried = await ConnectionMultiplexer.ConnectAsync(configuration))
        {
            if (tried.GetServer(primary).IsReplica)
            {
                throw new RedisTopologyException("the Sentinels name a replica: a fail-over is going on.");
            }
        }

        configuration.ServiceName = service;
        return await Task.Run(() => sentinels.GetSentinelMasterConnection(configuration));
    }

    private static async Task<EndPoint?> FindPrimaryAsync(string service, ConnectionMultiplexer sentinels)
    {
        foreach (var server in sentinels.GetServers().Where(static server => server.IsConnected))
        {
            try
            {
                if (await server.SentinelGetMasterAddressByNameAsync(service) is { } primary)
                {
                    return primary;
                }
            }
            catch (Exception exception) when (exception is RedisException or TimeoutException)
            {
                // The next may know.
            }
        }

        return null;
    }

    private async Task<ConnectionMultiplexer> CheckedAsync(ConnectionMultiplexer servers)
    {
        var isCluster = servers.GetServers().Any(static server => server.IsConnected && server.ServerType == ServerType.Cluster);
        var problem = isCluster && !options.HasHashTag ? RedisTopologyException.NoHashTag
            : !isCluster && options.Servers.Count > 0
                ? "is no cluster. Name one server as redis.server, or Sentinels as redis.sentinel."
            : null;
        if (problem is null)
        {
            return servers;
        }

        await servers.DisposeAsync();
        throw new RedisTopologyException(problem);
    }

    private ConfigurationOptions Configure(
        IEnumerable<string> endpoints, int defaultPort, Action<ConnectionAttemptCompletedEventArgs, bool> observe)
    {
        var configuration = new ConfigurationOptions
        {
            // The first connection is tried again here and not by the library, which would keep its reasons to itself.
            AbortOnConnectFail = true,
            ConnectRetry = 1,
            ConnectTimeout = ConnectTimeout,
            AllowAdmin = true, // INFO and CONFIG GET; nothing else that it allows is used
            AsyncTimeout = (int)longest.TotalMilliseconds, // four of them without an answer, and the connection is made anew
            BacklogPolicy = BacklogPolicy.FailFast, // nobody waits for a server that is known to be unavailable
            ClientName = "gateway",
            ConfigurationChannel = "",
            DefaultDatabase = options.Database,
            KeepAlive = 5, // seconds
            Password = options.Password,
            Protocol = RedisProtocol.Resp3, // a server without it is spoken to in RESP2
            ReconnectRetryPolicy = new LinearRetry(500), // milliseconds
            Ssl = options.Tls,
            TieBreaker = "", // no keys and channels of the library's own
            User = options.Username,
        };
        configuration.CertificateValidation += trust.Validate;
        configuration.ConnectionAttemptCompleted += (_, attempt) => observe(attempt, false);
        foreach (var endpoint in endpoints)
        {
            configuration.EndPoints.Add(EndPointOf(endpoint, defaultPort));
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
