using Gateway.Core.Tokens;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Redis;
using Gateway.Server.Store.State;
using Gateway.Tests.Server.SignIn.Authentication;
using Gateway.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Server.Store.State;

/// <summary>The contract, kept in a real Redis.</summary>
public sealed class RedisCredentialStoreTests : CredentialStoreContract, IAsyncLifetime
{
    private RedisServer _server = null!;

    public async Task InitializeAsync() => _server = await RedisServer.StartAsync();

    public Task DisposeAsync() => _server.DisposeAsync().AsTask();

    [Fact]
    public async Task Add_EmptyPrefix_ComesBack()
    {
        var options = _server.Options;
        options.KeyPrefix = "";
        await using var store = await OpenAsync(options);

        await store.AddAsync(TestCredential.New("one"), default);

        Assert.NotNull(await store.FindAsync("one", default));
    }

    [Fact]
    public async Task Add_OtherPrefix_IsAnotherStore()
    {
        var options = _server.Options;
        options.KeyPrefix = "other:";
        await using var store = await OpenAsync();
        await using var other = await OpenAsync(options);

        await store.AddAsync(TestCredential.New("one"), default);
        await store.RevokeAsync("one", TestCredential.Now, default);

        Assert.Null(await other.FindAsync("one", default));
        Assert.Empty(await ChangesAsync(other));
    }

    [Fact]
    public async Task Keys_OfTheStore_HaveThePrefixAndNoExpiry()
    {
        await using var store = await OpenAsync();
        await store.AddAsync(TestCredential.NewComplete("one"), default);
        await store.AddAsync(TestCredential.New("two"), default);
        await store.RevokeAllAsync(TestCredential.Alice, TestCredential.Now, default);

        var keys = (await _server.CommandAsync("KEYS", "*")).Split('\n');

        Assert.Equal(12, keys.Length);
        Assert.All(keys, static key => Assert.StartsWith("gateway:", key, StringComparison.Ordinal));
        foreach (var key in keys)
        {
            Assert.Equal("-1", await _server.CommandAsync("TTL", key));
        }
    }

    [Fact]
    public async Task Prune_AllEnded_LeavesNothingBehind()
    {
        await using var store = await OpenAsync();
        await store.AddAsync(TestCredential.NewComplete("one"), default);
        await store.AddAsync(TestCredential.New("two"), default);
        await store.RevokeAllAsync(TestCredential.Alice, TestCredential.Now, default);

        await store.PruneAsync(TestCredential.Now.AddDays(1), default);

        Assert.Equal(
            ["gateway:last", "gateway:schema"], (await _server.CommandAsync("KEYS", "*")).Split('\n').Order());
    }

    [Fact]
    public async Task Add_RedisThatDoesNotWriteToDisk_IsRefused()
    {
        await _server.CommandAsync("CONFIG", "SET", "appendonly", "no");
        await using var store = await OpenAsync();

        var exception = await Assert.ThrowsAnyAsync<StateException>(
            () => store.AddAsync(TestCredential.New("one"), default));

        Assert.Equal(
            $"Redis at {_server.Options.Server} does not write to disk, so a restart of Redis would lose new tokens: "
            + "the gateway issues none. Set appendonly yes (and appendfsync always) in Redis, "
            + "or set redis.requirePersistence to false.",
            exception.Message);
        Assert.Empty(await store.ListAsync(null, default));
    }

    [Fact]
    public async Task Add_RedisRestartedWithoutWritingToDisk_IsRefusedAtOnce()
    {
        await using var store = await OpenAsync();
        await store.AddAsync(TestCredential.New("one"), default);

        await _server.KillAsync();
        await _server.StartAgainAsync("--appendonly", "no");
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                await store.FindAsync("one", default);
                return true;
            }
            catch (StateException)
            {
                return false; // not connected yet
            }
        });

        var exception = await Assert.ThrowsAnyAsync<StateException>(
            () => store.AddAsync(TestCredential.New("two"), default));
        Assert.Contains("does not write to disk", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Revoke_RedisThatDoesNotWriteToDisk_IsDone()
    {
        await using var store = await OpenAsync();
        await store.AddAsync(TestCredential.New("one"), default);
        await _server.CommandAsync("CONFIG", "SET", "appendonly", "no");

        Assert.True(await store.RevokeAsync("one", TestCredential.Now, default));
    }

    [Fact]
    public async Task Add_PersistenceNotRequired_IsDone()
    {
        await _server.CommandAsync("CONFIG", "SET", "appendonly", "no");
        var options = _server.Options;
        options.RequirePersistence = false;
        await using var store = await OpenAsync(options);

        await store.AddAsync(TestCredential.New("one"), default);

        Assert.NotNull(await store.FindAsync("one", default));
    }

    // What 0.1.0 wrote: the same keys, without "identity", "kept" and "keptms".
    [Fact]
    public async Task Prune_RevokedJobOfAnEarlierGateway_IsRememberedWhileItsIdTokenMayLive()
    {
        await using var store = await OpenAsync();
        var job = TestCredential.New("job") with { Kind = CredentialKind.Workload, RevokedAt = TestCredential.Now };
        await store.AddAsync(job, default);
        await store.AddAsync(TestCredential.New("personal") with { RevokedAt = TestCredential.Now }, default);
        var fields = (await _server.CommandAsync("HKEYS", "gateway:credential:job")).Split('\n').Order();
        Assert.Equal(["created", "document", "expires", "hash", "owner", "revoked", "sequence"], fields);

        await store.PruneAsync(TestCredential.Now.AddDays(300), default);
        Assert.Equal(["job"], (await store.ListAsync(null, default)).Select(static one => one.Id));
        Assert.Equal(
            TokenState.Revoked, (await store.FindAsync(job.Hash, default))!.StateAt(TestCredential.Now.AddDays(300)));
        await store.PruneAsync(TestCredential.Now.AddDays(500), default);
        Assert.Empty(await store.ListAsync(null, default));
    }

    [Theory]
    [InlineData("allkeys-lru", true)]
    [InlineData("volatile-lru", false)]
    [InlineData("noeviction", false)]
    public async Task Add_RedisThatEvictsKeys_WarnsOnce(string policy, bool warns)
    {
        await _server.CommandAsync("CONFIG", "SET", "maxmemory", "100mb");
        await _server.CommandAsync("CONFIG", "SET", "maxmemory-policy", policy);
        await _server.CommandAsync("CONFIG", "SET", "appendfsync", "always");
        var logger = new ListLogger<RedisCredentialStore>();
        var clock = new FakeTimeProvider();
        await using var store = Open(_server.Options, clock, logger);

        await store.AddAsync(TestCredential.New("one"), default);
        clock.Advance(TimeSpan.FromMinutes(1));
        await store.AddAsync(TestCredential.New("two"), default);

        Assert.Equal(
            warns
                ? [$"Warning 1131 Redis at {_server.Options.Server} evicts keys when its memory is full "
                    + $"(maxmemory-policy {policy}): "
                    + "tokens and revocations could be lost. Set maxmemory-policy noeviction."]
                : [],
            logger.Lines);
    }

    [Theory]
    [InlineData("everysec", true)]
    [InlineData("no", true)]
    [InlineData("always", false)]
    public async Task Add_RedisThatFlushesLate_WarnsOnce(string flush, bool warns)
    {
        await _server.CommandAsync("CONFIG", "SET", "appendfsync", flush);
        var logger = new ListLogger<RedisCredentialStore>();
        await using var store = Open(_server.Options, TimeProvider.System, logger);

        await store.AddAsync(TestCredential.New("one"), default);

        Assert.Equal(
            warns
                ? [$"Warning 1132 Redis at {_server.Options.Server} writes to disk with appendfsync {flush}: a crash "
                    + "or power cut there may lose tokens and revocations of the last seconds, although the gateway "
                    + "confirmed them. Set appendfsync always."]
                : [],
            logger.Lines);
    }

    [Fact]
    public async Task Everything_DataOfANewerGateway_IsRefused()
    {
        await using var store = await OpenAsync();
        await store.AddAsync(TestCredential.New("one"), default);
        await _server.CommandAsync("SET", "gateway:schema", "2");

        var exception = await Assert.ThrowsAnyAsync<StateException>(() => store.FindAsync("one", default));
        await Assert.ThrowsAnyAsync<StateException>(() => store.RevokeAsync("one", TestCredential.Now, default));
        await Assert.ThrowsAnyAsync<StateException>(() => store.AddAsync(TestCredential.New("two"), default));
        await Assert.ThrowsAnyAsync<StateException>(() => store.ReadChangesAsync(0, default));

        Assert.Equal(
            $"Redis at {_server.Options.Server} has tokens of schema version 2 under \"gateway:\", but this gateway "
            + "supports version 1: a newer gateway wrote them. Run that version.",
            exception.Message);
    }

    [Theory]
    [InlineData("\"kind\":", "\"limitOfTheFuture\":1,\"kind\":")] // passed over, it would limit nothing
    [InlineData("personal", "kindOfTheFuture")]
    [InlineData(",\"createdBy\":\"user:alice\"", "")]
    public async Task Find_DocumentThatIsNotUnderstood_IsRefused(string part, string other)
    {
        await using var store = await OpenAsync();
        await store.AddAsync(TestCredential.New("one"), default);
        var document = await _server.CommandAsync("HGET", "gateway:credential:one", "document");
        Assert.Contains(part, document, StringComparison.Ordinal);
        await _server.CommandAsync(
            "HSET", "gateway:credential:one", "document", document.Replace(part, other, StringComparison.Ordinal));

        var exception = await Assert.ThrowsAnyAsync<StateException>(() => store.FindAsync("one", default));

        Assert.StartsWith(
            "The credential \"one\" in the store cannot be read: ", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReadChanges_RedisThatLostItsLastSecond_GivesWhatComesNext()
    {
        // As after a power cut with appendfsync everysec: the counter is back where it was a second ago.
        await using var store = await OpenAsync();
        for (var i = 0; i < 5; i++)
        {
            await store.RevokeAllAsync(TestCredential.Alice, TestCredential.Now, default);
        }

        var position = (await store.ReadChangesAsync(0, default)).Position;
        await _server.CommandAsync("FLUSHALL");
        await store.RevokeAllAsync(TestCredential.RobotAlice, TestCredential.Now, default);

        Assert.Equal(
            ["robot:alice"],
            (await store.ReadChangesAsync(position, default)).Changes.Select(static change => change.Key));
    }

    [Fact]
    public async Task Changed_ByAnotherReplica_IsRaised()
    {
        await using var store = await OpenAsync();
        await using var other = await OpenAsync();
        var raised = 0;
        other.Changed += () => Interlocked.Increment(ref raised);

        await store.RevokeAllAsync(TestCredential.Alice, TestCredential.Now, default);

        await Eventually.TrueAsync(() => Volatile.Read(ref raised) > 0);
    }

    // As a replica with a slower clock has it that became the primary without the last changes.
    [Fact]
    public async Task ReadChanges_AnotherServerThatLacksTheLastAndIsBehind_GivesItsNewOnesAndNoneTwice()
    {
        await using var store = await OpenAsync();
        await store.AddAsync(TestCredential.New("one"), default);
        await store.AddAsync(TestCredential.New("two"), default);
        await store.RevokeAsync("one", TestCredential.Now, default);
        await store.WriteBlockAsync(SubjectBlock.Create(null, "user:alice", TestCredential.Now, "root"), default);
        var position = (await store.ReadChangesAsync(0, default)).Position;
        var version = (await store.ReadBlocksAsync("", default)).Version;
        Assert.Null((await store.ReadBlocksAsync(version, default)).Blocks);

        await _server.CommandAsync(
            "ZADD", "gateway:changes", $"{position - 5_000_000}",
            $"{position - 5_000_000} revoked {TestCredential.Now.UtcTicks:D19} two");
        await _server.CommandAsync("CLIENT", "KILL", "TYPE", "normal");
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                // another server's versions say nothing
                return (await store.ReadBlocksAsync(version, default)).Blocks is not null;
            }
            catch (StateException)
            {
                return false;
            }
        });

        var page = await store.ReadChangesAsync(position, default);
        Assert.Equal(["two"], page.Changes.Select(static change => change.Key));
        Assert.Empty((await store.ReadChangesAsync(page.Position, default)).Changes);
    }

    private protected override Task<ICredentialStore> OpenAsync() => OpenAsync(_server.Options);

    private static async Task<ICredentialStore> OpenAsync(RedisOptions options)
    {
        var store = Open(options, TimeProvider.System, NullLogger<RedisCredentialStore>.Instance);
        await store.ListenAsync();
        return store;
    }

    private static RedisCredentialStore Open(
        RedisOptions options, TimeProvider time, Microsoft.Extensions.Logging.ILogger<RedisCredentialStore> logger) =>
        new(
            new RedisConnection(options, TimeProvider.System, NullLogger<RedisConnection>.Instance),
            options,
            time,
            logger,
            ownsConnection: true);
}
