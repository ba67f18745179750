using Gateway.Foundation.Configuration;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Redis;
using Gateway.Server.Store.Keys;
using Gateway.Server.Tokens.Service;
using Gateway.Tests.Server.SignIn.Authentication;
using Gateway.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Server.Store.Keys;

public sealed class RedisKeyStoreTests : IAsyncLifetime
{
    private const string Password = "correct horse battery staple";
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly TokenOptions _options = new();
    private readonly List<RedisConnection> _connections = [];
    private RedisServer _server = null!;

    private SigningKeySchedule Schedule =>
        new(new SigningKeySettings(_options.Algorithm, _options.Keys.RotateAfter, _options.UploadWindow), _time);

    public async Task InitializeAsync() => _server = await RedisServer.StartAsync();

    public async Task DisposeAsync()
    {
        foreach (var connection in _connections)
        {
            await connection.DisposeAsync();
        }

        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Change_ManyFirstStartsAtOnce_EndWithOneKey()
    {
        var stores = Enumerable.Range(0, 8).Select(_ => Open()).ToList();
        await Task.WhenAll(stores.Select(store => store.ReadAsync(default))); // connected, so that they do meet

        await Task.WhenAll(stores.Select(store => store.ChangeAsync(Schedule.First, default)));

        var ids = await Task.WhenAll(stores.Select(async store => (await store.ReadAsync(default)).Single().Id));
        Assert.Single(ids.Distinct());
    }

    [Fact]
    public async Task Change_ScheduledRotationOverTwo_HappensOnce()
    {
        _options.Keys.RotateAfter = TimeSpan.FromDays(1);
        var (one, two) = (Open(), Open());
        await one.ChangeAsync(Schedule.First, default);
        await two.ReadAsync(default);
        _time.Advance(TimeSpan.FromDays(1));

        await Task.WhenAll(one.ChangeAsync(Schedule.Due, default), two.ChangeAsync(Schedule.Due, default));

        Assert.Equal(2, (await one.ReadAsync(default)).Count);
    }

    [Fact]
    public async Task Read_ByAnotherReplica_GivesTheSameKeys()
    {
        var store = Open();
        await store.ChangeAsync(Schedule.First, default);
        await store.ChangeAsync(keys => Schedule.Rotate(keys, SigningKeySchedule.PublicationDelay), default);

        var mine = await store.ReadAsync(default);
        var others = await Open().ReadAsync(default);

        Assert.Equal(
            mine.Select(static key => (key.Id, key.ActiveFrom, key.CreatedAt)).Order(),
            others.Select(static key => (key.Id, key.ActiveFrom, key.CreatedAt)).Order());
        var data = "token"u8.ToArray();
        Assert.True(others.Single(key => key.Id == mine[0].Id).Verify(data, mine[0].Sign(data)));
    }

    [Fact]
    public async Task Read_Again_OpensNoKeyAnew()
    {
        var store = Open();
        await store.ChangeAsync(Schedule.First, default);

        Assert.Same((await store.ReadAsync(default))[0], (await store.ReadAsync(default))[0]);
    }

    [Fact]
    public async Task Change_WhatRedisHolds_IsSealedAndUnderThePrefix()
    {
        var store = Open();
        await store.ChangeAsync(Schedule.First, default);

        var content = await _server.CommandAsync("HGETALL", "gateway:keys");

        Assert.Contains("-----BEGIN ENCRYPTED PRIVATE KEY-----", content, StringComparison.Ordinal);
        Assert.DoesNotContain("BEGIN PRIVATE KEY", content, StringComparison.Ordinal);
        Assert.Equal("gateway:keys", await _server.CommandAsync("KEYS", "*"));
    }

    [Fact]
    public async Task Change_Retire_RemovesTheKeyForAll()
    {
        var (one, two) = (Open(), Open());
        await one.ChangeAsync(Schedule.First, default);
        var first = (await two.ReadAsync(default)).Single();
        _time.Advance(TimeSpan.FromSeconds(1));
        await one.ChangeAsync(keys => Schedule.Rotate(keys, TimeSpan.Zero), default);

        await one.ChangeAsync(keys => Schedule.Retire(keys, first.Id), default);

        Assert.NotEqual(first.Id, (await two.ReadAsync(default)).Single().Id);
    }

    [Fact]
    public async Task Read_WrongPassword_SaysWhatToDoAndShowsNone()
    {
        await Open().ChangeAsync(Schedule.First, default);

        var exception = await Assert.ThrowsAsync<ProblemException>(
            () => Open("incorrect horse battery staple").ReadAsync(default));

        Assert.StartsWith("Redis, hash gateway:keys, field ", exception.Message, StringComparison.Ordinal);
        Assert.EndsWith(
            ": tokens.keys.password does not decrypt the key. Set the password that the key was stored with; it is "
                + "the same for all replicas.",
            exception.Message,
            StringComparison.Ordinal);
        Assert.DoesNotContain("horse", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_KeyUnderAnothersId_IsRefused()
    {
        var store = Open();
        await store.ChangeAsync(Schedule.First, default);
        var id = (await store.ReadAsync(default))[0].Id;
        var text = await _server.CommandAsync("HGET", "gateway:keys", id);
        await _server.CommandAsync("HSET", "gateway:keys", "AAAA", text + "\n");

        var exception = await Assert.ThrowsAsync<ProblemException>(() => store.ReadAsync(default));

        Assert.Contains(
            "field AAAA: a different key is stored under this id", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_KeyThatIsNotSealed_IsRefused()
    {
        // Who can write to Redis, but does not know the password, brings a key of his own.
        var store = Open();
        await store.ChangeAsync(Schedule.First, default);
        using var own = System.Security.Cryptography.ECDsa.Create(
            System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        var id = SigningKey.IdOf(own.ExportSubjectPublicKeyInfo());
        await _server.CommandAsync("HSET", "gateway:keys", id, own.ExportPkcs8PrivateKeyPem());

        var exception = await Assert.ThrowsAsync<ProblemException>(() => store.ReadAsync(default));

        Assert.Contains("is not encrypted with tokens.keys.password", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_WrongPassword_IsRefused()
    {
        await Open().ChangeAsync(Schedule.First, default);
        using var keys = Keys(Open("incorrect horse battery staple"));

        await Assert.ThrowsAsync<ProblemException>(() => keys.StartAsync(default));
    }

    [Fact]
    public async Task Look_RedisGoneAndBack_KeysInForceStay()
    {
        using var keys = Keys(Open());
        await keys.StartAsync(default);
        var ring = keys.Current;

        await _server.KillAsync();
        await keys.LookAsync(default);
        Assert.Same(ring, keys.Current);
        Assert.Single(keys.Status.Problems);

        await _server.StartAgainAsync();
        await Eventually.TrueAsync(async () =>
        {
            await keys.LookAsync(default);
            return keys.Status.Problems.Count == 0;
        });
        Assert.Same(ring, keys.Current);
        await keys.StopAsync(default);
    }

    [Fact]
    public async Task Look_ChangeByAnotherReplica_IsTakenUp()
    {
        using var keys = Keys(Open());
        await keys.StartAsync(default);
        var added =
            (await Open().ChangeAsync(
                all => Schedule.Rotate(all, SigningKeySchedule.PublicationDelay), default)).Added!;
        Assert.Null(keys.Current.Find(added.Id));

        await keys.LookAsync(default);

        Assert.NotNull(keys.Current.Find(added.Id));
        await keys.StopAsync(default);
    }

    [Fact]
    public async Task Look_RedisEmptied_KeysInForceStayAndNoneIsMade()
    {
        using var keys = Keys(Open());
        await keys.StartAsync(default);
        var ring = keys.Current;
        await _server.CommandAsync("FLUSHALL");

        await keys.LookAsync(default);

        Assert.Same(ring, keys.Current);
        Assert.Equal(
            "Redis, hash gateway:keys: there is no longer an ES256 key. Restore the keys, or create a new one, which "
                + "invalidates all access tokens: gateway keys rotate --now.",
            Assert.Single(keys.Status.Problems).ToString());
        Assert.Equal("", await _server.CommandAsync("KEYS", "*"));
        await keys.StopAsync(default);
    }

    [Fact]
    public async Task Current_RedisNeverThere_IsAStateExceptionUntilItComes()
    {
        await _server.KillAsync();
        using var keys = Keys(Open());
        await keys.LookAsync(default);
        Assert.Throws<StateException>(() => keys.Current);

        await _server.StartAgainAsync();
        await Eventually.TrueAsync(async () =>
        {
            await keys.LookAsync(default);
            return keys.Status.Problems.Count == 0;
        });

        Assert.Single(keys.Current.Keys);
    }

    private RedisKeyStore Open(string password = Password)
    {
        var options = _server.Options;
        var connection = new RedisConnection(options, TimeProvider.System, NullLogger<RedisConnection>.Instance);
        _connections.Add(connection);
        return new RedisKeyStore(connection, password);
    }

    private RedisSigningKeys Keys(RedisKeyStore store) =>
        new(store, Schedule, _time, new ListLogger<RedisSigningKeys>());
}
