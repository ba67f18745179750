using System.Globalization;
using Gateway.Backup;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Redis;
using Gateway.Server.Store.State;
using Gateway.Tests.Server.Store.State;
using Gateway.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Server.Requests.Redis;

/// <summary>
/// A real cluster of three primaries: the contract of the stores, and all else that the gateway does with Redis.
/// </summary>
public sealed class RedisClusterTests(RedisClusterTests.Site site) : CredentialStoreContract,
    IClassFixture<RedisClusterTests.Site>, IAsyncLifetime
{
    private RedisCluster Cluster => site.Cluster;

    public Task InitializeAsync() => Cluster.FlushAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task Everything_WorksAndLiesOnOneNode()
    {
        await RedisWork.DoAsync(Cluster.Options);
        await RedisLimitWork.DoAsync(Cluster.Options);

        var node = await Cluster.NodeOfAsync("{gateway}:");
        Assert.NotEqual("0", await node.CommandAsync("DBSIZE"));
        foreach (var other in Cluster.Nodes.Where(other => other != node))
        {
            Assert.Equal("0", await other.CommandAsync("DBSIZE"));
        }
    }

    [Fact]
    public async Task Connect_OneNodeThatHasNotTheSlot_FindsTheOneThatHas()
    {
        var node = await Cluster.NodeOfAsync("{gateway}:");
        var options = Cluster.Options;
        (options.Server, options.Servers) = (Cluster.Nodes.First(other => other != node).Options.Server, []);
        await using var redis = Connect(options);

        Assert.Equal(
            1, (int)await redis.EvaluateAsync("return redis.call('INCR', KEYS[1])", [redis.Key("n")], [], default));
        Assert.Equal("1", await node.CommandAsync("GET", "{gateway}:n"));
    }

    [Fact]
    public async Task Connect_AnotherNodeIsDown_AnswersTheFirstCall()
    {
        await using var cluster = await RedisCluster.StartAsync("--cluster-require-full-coverage", "no");
        var node = await cluster.NodeOfAsync("{gateway}:");
        var options = cluster.Options;
        (options.Server, options.Servers) = (node.Options.Server, []);
        options.Timeout = TimeSpan.FromSeconds(30); // the library waits five seconds for the other
        await cluster.Nodes.First(other => other != node).KillAsync();
        await using var redis = Connect(options);

        Assert.Equal(
            1, (int)await redis.EvaluateAsync("return redis.call('INCR', KEYS[1])", [redis.Key("n")], [], default));
    }

    [Theory]
    [InlineData("gateway:")]
    [InlineData("{}gateway:")]
    [InlineData("}gateway{:")]
    public async Task Connect_PrefixWithoutAHashTag_IsRefused(string prefix)
    {
        var options = Cluster.Options;
        options.KeyPrefix = prefix;
        await using var redis = Connect(options);

        var exception = await Assert.ThrowsAnyAsync<StateException>(
            () => redis.EvaluateAsync("return 1", [redis.Key("n")], [], default));

        Assert.Equal($"Redis at {options.Place} {RedisTopologyException.NoHashTag.Text}", exception.Message);
    }

    [Fact]
    public async Task Connect_ServersThatAreNoCluster_AreRefused()
    {
        await using var one = await RedisServer.StartAsync();
        await using var other = await RedisServer.StartAsync();
        var options = Cluster.Options;
        options.Servers = [one.Options.Server, other.Options.Server];
        await using var redis = Connect(options);

        var exception = await Assert.ThrowsAnyAsync<StateException>(
            () => redis.EvaluateAsync("return 1", [redis.Key("n")], [], default));

        Assert.Contains("is not a cluster", exception.Message, StringComparison.Ordinal);
        Assert.Equal("0", await one.CommandAsync("DBSIZE"));
    }

    [Fact]
    public async Task Restore_BackupOfASingleRedis_FindsEveryTokenAndRevocation()
    {
        await using var single = await RedisServer.StartAsync("--appendfsync", "always");
        await EarlierRedis.FillAsync(single.Options);
        using var archive = new MemoryStream();
        await using (var from = new RedisBackup(RedisWork.Configuration(single.Options)))
        {
            await from.ExportAsync(archive, default);
        }

        archive.Position = 0;
        await using (var to = new RedisBackup(RedisWork.Configuration(Cluster.Options)))
        {
            Assert.Null(await to.FindObstacleAsync(mayReplace: false, default));
            await to.StageAsync("restore-1:", archive, default);
            await to.SwitchAsync("restore-1:", "aside-1:", mayReplace: false, keepBlocks: true, default);
        }

        await EarlierRedis.AssertFoundAsync(Cluster.Options);
    }

    [Fact]
    public async Task Restore_GatewayThatListensToAnotherNode_IsRefused()
    {
        var node = await Cluster.NodeOfAsync("{gateway}:");
        var other = Cluster.Nodes.First(other => other != node);
        using var listener = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(
            "redis-cli", ["-p", other.Port.ToString(CultureInfo.InvariantCulture), "SUBSCRIBE", "{gateway}:changed"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        try
        {
            await Eventually.TrueAsync(async () =>
                (await other.CommandAsync("PUBSUB", "NUMSUB", "{gateway}:changed")).EndsWith('1'));
            await using var backup = new RedisBackup(RedisWork.Configuration(Cluster.Options));

            Assert.Equal(
                "a gateway is using this store", (await backup.FindObstacleAsync(mayReplace: true, default))!.What);
        }
        finally
        {
            listener.Kill();
        }
    }

    private protected override async Task<ICredentialStore> OpenAsync()
    {
        var store = new RedisCredentialStore(
            Connect(Cluster.Options), Cluster.Options, TimeProvider.System, NullLogger<RedisCredentialStore>.Instance,
            ownsConnection: true);
        await store.ListenAsync();
        return store;
    }

    private static RedisConnection Connect(RedisOptions options) =>
        new(options, TimeProvider.System, NullLogger<RedisConnection>.Instance);

    /// <summary>One cluster for all of them.</summary>
    public sealed class Site : IAsyncLifetime
    {
        internal RedisCluster Cluster { get; private set; } = null!;

        public async Task InitializeAsync() => Cluster = await RedisCluster.StartAsync();

        public Task DisposeAsync() => Cluster.DisposeAsync().AsTask();
    }
}
