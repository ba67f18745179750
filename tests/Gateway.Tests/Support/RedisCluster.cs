using System.Globalization;
using Gateway.Server.Requests.Redis;

namespace Gateway.Tests.Support;

/// <summary>A real Redis Cluster of three primaries on loopback, made by <c>redis-cli --cluster create</c>.</summary>
internal sealed class RedisCluster : IAsyncDisposable
{
    private RedisCluster(IReadOnlyList<RedisServer> nodes) => Nodes = nodes;

    public IReadOnlyList<RedisServer> Nodes { get; }

    /// <summary>Two of the three are named; the third has to be found.</summary>
    public RedisOptions Options => new()
    {
        Servers = [Nodes[0].Options.Server, Nodes[1].Options.Server],
        KeyPrefix = "{gateway}:",
        Timeout = TimeSpan.FromSeconds(5),
    };

    /// <summary>Starts it, and waits until every node serves.</summary>
    public static async Task<RedisCluster> StartAsync(params string[] arguments)
    {
        var cluster = new RedisCluster(await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => RedisServer.StartAsync(
            ["--cluster-enabled", "yes", "--cluster-port", FreePort.Next().ToString(CultureInfo.InvariantCulture), "--"
                + "appendfsync", "always", .. arguments]))));
        try
        {
            var made = await cluster.Nodes[0].CommandAsync(
                ["--cluster", "create", .. cluster.Nodes.Select(static node => node.Options.Server), "--cluster-yes"]);
            Assert.Contains("All 16384 slots covered", made, StringComparison.Ordinal);
            foreach (var node in cluster.Nodes)
            {
                await Eventually.TrueAsync(async () =>
                    (await node.CommandAsync("CLUSTER", "INFO")).Contains(
                        "cluster_state:ok", StringComparison.Ordinal));
            }

            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>The node that has the slot of a key.</summary>
    public async Task<RedisServer> NodeOfAsync(string key)
    {
        foreach (var node in Nodes)
        {
            if (!(await node.CommandAsync("EXISTS", key)).Contains("MOVED", StringComparison.Ordinal))
            {
                return node;
            }
        }

        throw new InvalidOperationException("no node has the slot");
    }

    public async Task FlushAsync()
    {
        foreach (var node in Nodes)
        {
            await node.CommandAsync("FLUSHALL");
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in Nodes)
        {
            await node.DisposeAsync();
        }
    }
}
