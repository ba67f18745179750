using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Redis;
using Gateway.Server.Store.Identities;
using Gateway.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Server.Store.Identities;

/// <summary>Both stores of identities keep the same promises: a file of SQLite, and a real Redis.</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage(
    "Design", "CA1001", Justification = "xUnit calls IAsyncLifetime.DisposeAsync")]
public sealed class IdentityStoreTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private RedisServer _redis = null!;

    public async Task InitializeAsync() => _redis = await RedisServer.StartAsync();

    public async Task DisposeAsync()
    {
        await _redis.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("redis")]
    public async Task Write_FromTheSameReading_OneWins(string kind)
    {
        await using var store = Open(kind);
        var first = await store.WriteAsync(Identity("alice"), default);
        Assert.NotNull(first);

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i =>
            Task.Run(() => store.WriteAsync(first with { Groups = [$"group-{i}"] }, default))));

        var winner = Assert.Single(answers, static one => one is not null)!;
        Assert.Equal(first.Version + 1, winner.Version);
        var kept = await store.FindAsync("oidc:corp", "alice", default);
        Assert.Equal((winner.Version, winner.Groups[0]), (kept!.Version, kept.Groups[0]));
        Assert.Null(await store.WriteAsync(Identity("alice"), default)); // as if there were none
    }

    // A replica that still holds the record of the account that had the name must not write it over the next one's.
    [Theory]
    [InlineData("sqlite")]
    [InlineData("redis")]
    public async Task Write_OfTheFormerAccount_NeverReplacesTheNextOne(string kind)
    {
        await using var store = Open(kind);
        var former = await store.WriteAsync(Identity("alice", "sub-1"), default);
        Assert.True(await store.RemoveAsync("oidc:corp", "alice", default));
        Assert.False(await store.RemoveAsync("oidc:corp", "alice", default));
        var next = await store.WriteAsync(Identity("alice", "sub-2"), default);

        Assert.NotEqual(former!.Version, next!.Version);
        Assert.Null(await store.WriteAsync(former with { Groups = ["admins"] }, default));
        Assert.Equal("sub-2", (await store.FindAsync("oidc:corp", "alice", default))!.ProviderSubject);

        // Nor may it come back after the name was freed.
        Assert.True(await store.RemoveAsync("oidc:corp", "alice", default));
        Assert.Null(await store.WriteAsync(next, default));
        Assert.Null(await store.FindAsync("oidc:corp", "alice", default));
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("redis")]
    public async Task List_SeveralProviders_IsInOrderWithEverythingThatWasWritten(string kind)
    {
        await using var store = Open(kind);
        var whole = Identity("zoe") with
        {
            Groups = ["devs", "ops"],
            Claims = new Dictionary<string, string> { ["department"] = "42" },
            RefreshToken = "encrypted",
            Ended = "the account is disabled",
            AskedUntil = At.AddMinutes(1),
        };
        foreach (var one in new[] { whole, Identity("alice"), Identity("corp/bob") with { Method = "oidc:another" } })
        {
            Assert.NotNull(await store.WriteAsync(one, default));
        }

        var all = await store.ListAsync(default);

        Assert.Equal(
            ["oidc:another corp/bob", "oidc:corp alice", "oidc:corp zoe"], all.Select(static one => one.ToString()));
        Assert.Equivalent(whole with { Version = all[2].Version }, all[2], strict: true);
        Assert.Null(await store.FindAsync("oidc:another", "alice", default)); // a name is one provider's
    }

    [Theory]
    [InlineData(
#pragma warning disable RCS0056 // one line of text
        """{"method":"oidc:corp","name":"a","providerSubject":"s","signedInAt":"2026-01-01T00:00:00Z","validatedAt":"2026-01-01T00:00:00Z","ofTheFuture":1}""")]
#pragma warning restore RCS0056
    [InlineData("""{"method":"oidc:corp"}""")]
    [InlineData("no JSON")]
    public void Read_NotUnderstood_SaysThatANewerGatewayMayHaveWrittenIt(string document) => Assert.Contains(
        "newer gateway",
        Assert.Throws<StateException>(() => StoredIdentity.Read(document, 1)).Message,
        StringComparison.Ordinal);

    private static DateTimeOffset At => new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private static StoredIdentity Identity(string name, string subject = "sub") => new()
    {
        Method = "oidc:corp",
        Name = name,
        ProviderSubject = subject,
        SignedInAt = At,
        ValidatedAt = At,
    };

    private IIdentityStore Open(string kind) => kind == "sqlite"
        ? SqliteIdentityStore.Open(_folder.Path)
        : new RedisIdentityStore(
            new RedisConnection(_redis.Options, TimeProvider.System, NullLogger<RedisConnection>.Instance),
            ownsConnection: true);
}
