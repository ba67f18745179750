using System.Net;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Redis;
using Gateway.Server.Store.State;
using Gateway.Server.Store.State.Sqlite;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Gateway.Tests.Server.Store.State;

/// <summary>
/// Two replicas put together as the host does it, real time and real stores: what one revokes the other refuses within
/// a second.
/// </summary>
public sealed class ReplicaTests : IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan Promised = TimeSpan.FromSeconds(1);

    private readonly TemporaryFolder _folder = new();
    private RedisServer _server = null!;

    public async Task InitializeAsync() => _server = await RedisServer.StartAsync();

    public Task DisposeAsync() => _server.DisposeAsync().AsTask();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(StateStoreKind.Sqlite)]
    [InlineData(StateStoreKind.Redis)]
    public async Task Revoke_InOne_IsKnownThereAtOnceAndInTheOtherWithinASecond(StateStoreKind kind)
    {
        await using var one = await Replica.StartAsync(Options(kind));
        await using var other = await Replica.StartAsync(Options(kind));

        await RevokeAndMeasureAsync(one, other, "c1");
        await RevokeAndMeasureAsync(other, one, "c2");
    }

    [Fact]
    public async Task Revoke_MessagesLost_IsKnownWithinASecondAllTheSame()
    {
        await using var one = await Replica.StartAsync(Options(StateStoreKind.Redis));
        await using var other = await Replica.StartAsync(Options(StateStoreKind.Redis));
        await Eventually.TrueAsync(async () =>
            (await _server.CommandAsync("PUBSUB", "NUMSUB", "gateway:changed")).EndsWith('2'));

        await _server.CommandAsync("ACL", "SETUSER", "default", "resetchannels"); // nobody may publish or subscribe

        await Eventually.TrueAsync(async () =>
            (await _server.CommandAsync("PUBSUB", "NUMSUB", "gateway:changed")).EndsWith('0'));
        await Eventually.TrueAsync(() => one.Revocations.IsCurrent && other.Revocations.IsCurrent);
        await RevokeAndMeasureAsync(one, other, "c1");
    }

    [Fact]
    public async Task Revoke_ByACommandBesideTheGateway_IsKnownWithinASecond()
    {
        await using var gateway = await Replica.StartAsync(Options(StateStoreKind.Sqlite));
        await gateway.Store.AddAsync(TestCredential.New("one"), default);
        await gateway.Directory.FindAsync(TestCredential.New("one").Hash, default);

        await using (var command = Options(StateStoreKind.Sqlite).OpenStore())
        {
            await command.RevokeAsync("one", TestCredential.Now, default);
        }

        var took = await Eventually.TrueAsync(() => gateway.Revocations.IsRevoked("one"));
        Assert.InRange(took, TimeSpan.Zero, Promised);
    }

    [Theory]
    [InlineData(StateStoreKind.Sqlite)]
    [InlineData(StateStoreKind.Redis)]
    public async Task Add_InOne_WorksInTheOtherAtOnce(StateStoreKind kind)
    {
        await using var one = await Replica.StartAsync(Options(kind));
        await using var other = await Replica.StartAsync(Options(kind));
        Assert.Null(await other.Directory.FindAsync(TestCredential.New("one").Hash, default));

        await one.Store.AddAsync(TestCredential.New("one"), default);

        Assert.NotNull(await other.Directory.FindAsync(TestCredential.New("one").Hash, default));
    }

    [Fact]
    public async Task Start_RedisAway_StartsAndRefusesUntilItIsThere()
    {
        await _server.KillAsync();
        await using var replica = await Replica.StartAsync(Options(StateStoreKind.Redis));
        Assert.False(replica.Revocations.IsCurrent);
        await Assert.ThrowsAnyAsync<StateException>(
            async () => await replica.Directory.FindAsync(TestCredential.New("one").Hash, default));

        await _server.StartAgainAsync();

        await Eventually.TrueAsync(() => replica.Revocations.IsCurrent);
        Assert.Null(await replica.Directory.FindAsync(TestCredential.New("one").Hash, default));
    }

    [Fact]
    public async Task Readyz_StoreGone_SaysSoAndStaysReady()
    {
        await using var upstream = await RecordingUpstream.StartAsync();
        await using var gateway = await TestGateway.StartAsync(
            upstream.Address, change: static options => options.Listen.Management = "127.0.0.1:0");
        using var client = new HttpClient();
        var address = new Uri($"http://127.0.0.1:{gateway.PlainPorts[^1]}/readyz");
        Assert.Contains("\"state\":\"ok\"", await client.GetStringAsync(address), StringComparison.Ordinal);

        var file = Path.Combine(
            gateway.Services.GetRequiredService<GatewayOptions>().State.Folder, SqliteDatabase.FileName);
        File.Move(file, file + ".away");

        await Eventually.TrueAsync(async () =>
        {
            using var answer = await client.GetAsync(address);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            var text = await answer.Content.ReadAsStringAsync();
            return text.Contains("\"state\":\"down\",\"status\":\"degraded\"", StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData(StateStoreKind.Sqlite)]
    [InlineData(StateStoreKind.Redis)]
    public async Task Block_InOne_IsInForceThereAtOnceAndInTheOtherWithinASecond(StateStoreKind kind)
    {
        await using var one = await Replica.StartAsync(Options(kind, kind == StateStoreKind.Redis ? "one" : ""));
        await using var other = await Replica.StartAsync(Options(kind, kind == StateStoreKind.Redis ? "other" : ""));
        var block = SubjectBlock.Create(null, "user:alice", TimeProvider.System.GetUtcNow(), "root");

        await one.Store.WriteBlockAsync(block, default);

        Assert.NotNull(one.Revocations.FindBlock(TestCredential.Alice));
        var took = await Eventually.TrueAsync(() => other.Revocations.FindBlock(TestCredential.Alice) is not null);
        Assert.InRange(took, TimeSpan.Zero, Promised);
        Assert.Null(other.Revocations.FindBlock(TestCredential.RobotAlice));

        await other.Store.WriteBlockAsync(block.Lift(TimeProvider.System.GetUtcNow(), "root"), default);

        Assert.Null(other.Revocations.FindBlock(TestCredential.Alice));
        took = await Eventually.TrueAsync(() => one.Revocations.FindBlock(TestCredential.Alice) is null);
        Assert.InRange(took, TimeSpan.Zero, Promised);
    }

    [Fact]
    public async Task Block_RedisEmptied_StaysInForceOnEveryReplicaAndIsWrittenBack()
    {
        await using var one = await Replica.StartAsync(Options(StateStoreKind.Redis, "one"));
        await using (var other = await Replica.StartAsync(Options(StateStoreKind.Redis, "other")))
        {
            await one.Store.WriteBlockAsync(
                SubjectBlock.Create(null, "user:alice", TimeProvider.System.GetUtcNow(), "root"), default);
            await Eventually.TrueAsync(() => other.Revocations.FindBlock(TestCredential.Alice) is not null);

            await _server.CommandAsync("FLUSHALL");

            await Eventually.TrueAsync(async () => await _server.CommandAsync("HLEN", "gateway:blocks") == "1");
            Assert.NotNull(one.Revocations.FindBlock(TestCredential.Alice));
            Assert.NotNull(other.Revocations.FindBlock(TestCredential.Alice));
        }

        // A replica that begins afterwards, where nothing is known.
        await using var third = await Replica.StartAsync(Options(StateStoreKind.Redis, "third"));
        Assert.NotNull(third.Revocations.FindBlock(TestCredential.Alice));
    }

    [Fact]
    public async Task Block_RestartWithAnEmptiedRedis_StaysInForce()
    {
        await using (var before = await Replica.StartAsync(Options(StateStoreKind.Redis)))
        {
            await before.Store.WriteBlockAsync(
                SubjectBlock.Create(null, "user:alice", TimeProvider.System.GetUtcNow(), "root"), default);
        }

        await _server.CommandAsync("FLUSHALL");
        await using var after = await Replica.StartAsync(Options(StateStoreKind.Redis));

        Assert.NotNull(after.Revocations.FindBlock(TestCredential.Alice));
        Assert.Equal("1", await _server.CommandAsync("HLEN", "gateway:blocks")); // and replicas elsewhere know it again
    }

    [Fact]
    public async Task Block_StartWithRedisAway_IsInForceFromTheFileAlone()
    {
        await using (var before = await Replica.StartAsync(Options(StateStoreKind.Redis)))
        {
            await before.Store.WriteBlockAsync(
                SubjectBlock.Create(null, "user:alice", TimeProvider.System.GetUtcNow(), "root"), default);
        }

        await _server.KillAsync();
        await using var known = await Replica.StartAsync(Options(StateStoreKind.Redis));
        await using var unknown = await Replica.StartAsync(Options(StateStoreKind.Redis, "elsewhere"));

        Assert.NotNull(known.Revocations.FindBlock(TestCredential.Alice));
        Assert.True(known.Revocations.KnowsBlocks);
        Assert.False(unknown.Revocations.KnowsBlocks); // so nobody is let in there
    }

    [Fact]
    public async Task Block_ByACommandBesideTheGateway_IsInForceWithinASecond()
    {
        await using var gateway = await Replica.StartAsync(Options(StateStoreKind.Sqlite));
        await using (var command = Options(StateStoreKind.Sqlite).OpenStore())
        {
            await command.WriteBlockAsync(
                SubjectBlock.Create(null, "user:alice", TimeProvider.System.GetUtcNow(), "root"), default);
        }

        var took = await Eventually.TrueAsync(() => gateway.Revocations.FindBlock(TestCredential.Alice) is not null);
        Assert.InRange(took, TimeSpan.Zero, Promised);
    }

    private GatewayOptions Options(StateStoreKind kind, string folder = "") => new()
    {
        State = new StateOptions { Folder = Path.Combine(_folder.Path, folder), Store = kind },
        Redis = kind == StateStoreKind.Redis ? _server.Options : null,
    };

    private static async Task RevokeAndMeasureAsync(Replica one, Replica other, string id)
    {
        var credential = TestCredential.New(id);
        await one.Store.AddAsync(credential, default);
        Assert.Null((await one.Directory.FindAsync(credential.Hash, default))!.RevokedAt);
        Assert.Null((await other.Directory.FindAsync(credential.Hash, default))!.RevokedAt); // now both remember it

        await one.Store.RevokeAsync(id, TestCredential.Now, default);

        Assert.True(one.Revocations.IsRevoked(id)); // at once
        Assert.NotNull((await one.Directory.FindAsync(credential.Hash, default))!.RevokedAt);
        var took = await Eventually.TrueAsync(async () => other.Revocations.IsRevoked(id)
            && (await other.Directory.FindAsync(credential.Hash, default))!.RevokedAt is not null);
        Assert.InRange(took, TimeSpan.Zero, Promised);
    }

    private sealed class Replica : IAsyncDisposable
    {
        private readonly IHost _host;

        private Replica(IHost host) => _host = host;

        public ICredentialStore Store => _host.Services.GetRequiredService<ICredentialStore>();

        public ICredentialDirectory Directory => _host.Services.GetRequiredService<ICredentialDirectory>();

        public IRevocations Revocations => _host.Services.GetRequiredService<IRevocations>();

        public static async Task<Replica> StartAsync(GatewayOptions options)
        {
            var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(
                new HostApplicationBuilderSettings());
            builder.Services.AddSingleton(TimeProvider.System);
            builder.Services.AddRedis(options.Redis, longest: TimeSpan.Zero);
            builder.Services.AddStateStore(options.State, options.Redis);
            var host = builder.Build();
            await host.StartAsync();
            return new Replica(host);
        }

        public async ValueTask DisposeAsync()
        {
            await _host.StopAsync();
            await ((IAsyncDisposable)_host).DisposeAsync();
        }
    }
}
