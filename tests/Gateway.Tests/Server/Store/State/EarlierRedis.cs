using Gateway.Core.Authorization;
using Gateway.Core.Tokens;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Requests.Redis;
using Gateway.Server.SignIn.Sessions;
using Gateway.Server.Store.Identities;
using Gateway.Server.Store.Keys;
using Gateway.Server.Store.State;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Server.Store.State;

/// <summary>
/// What a gateway of version 0.2.0 wrote into Redis: <c>data/redis-0.2.0.aof</c> is the append-only file of a Redis 7.0
/// after
/// <see cref="FillAsync"/> of that version's own code. This build reads it, and writes the same.
/// </summary>
internal static class EarlierRedis
{
    public const string KeyPassword = "correct horse battery staple";

    public static readonly DateTimeOffset Now = new DateTimeOffset(2026, 11, 1, 12, 0, 0, TimeSpan.Zero).AddTicks(
        1234567);

    /// <summary>
    /// One of each kind, in every state; <c>shortened</c> and those of the robot are as they were before what was done
    /// to them.
    /// </summary>
    public static IReadOnlyList<StoredCredential> Added { get; } =
    [
        New("personal"),
        New("robot") with { Kind = CredentialKind.Robot, Owner = TestCredential.RobotAlice },
        New("revoked"),
        New("shortened"),
        New("job") with
        {
            Kind = CredentialKind.Workload,
            Identity = SecretHash.Of("identity of job"),
            KeptUntil = Now.AddDays(1),
        },
        TestCredential.NewComplete("complete") with
        {
            CreatedAt = Now.AddDays(-1),
            ExpiresAt = Now.AddYears(50),
            KeptUntil = Now.AddYears(60),
            RevokedAt = null,
            LastUsedAt = Now.AddHours(-1),
        },
    ];

    public static SubjectBlock Blocked { get; } = SubjectBlock.Create(null, "user:corp/mallory", Now, "root") with
    {
        Reason = "left",
    };

    public static SubjectBlock Lifted { get; } = SubjectBlock.Create(null, "user:bob", Now, "root");

    public static StoredIdentity Identity { get; } = new()
    {
        Method = "oidc:keycloak",
        Name = "zoë",
        ProviderSubject = "4711",
        Groups = ["team-a"],
        SignedInAt = Now,
        ValidatedAt = Now,
    };

    /// <summary>
    /// Sees that everything which <see cref="FillAsync"/> wrote is found, and what was revoked is revoked.
    /// </summary>
    public static async Task AssertFoundAsync(RedisOptions options)
    {
        await using var redis = new RedisConnection(options, TimeProvider.System, NullLogger<RedisConnection>.Instance);
        var store = new RedisCredentialStore(
            redis, options, TimeProvider.System, NullLogger<RedisCredentialStore>.Instance);
        var robot = Added[1] with { RevokedAt = Now.AddMinutes(3) };
        StoredCredential[] expected =
        [
            Added[0] with { LastUsedAt = Now.AddMinutes(4), LastUsedFrom = System.Net.IPAddress.Parse("192.0.2.1") },
            robot,
            Added[2] with { RevokedAt = Now.AddMinutes(1) },
            Added[3] with { ExpiresAt = Now.AddMinutes(2) },
            Added[4],
            Added[5],
        ];
        foreach (var one in expected)
        {
            TestCredential.AssertSame(one, await store.FindAsync(one.Hash, default));
            TestCredential.AssertSame(one, await store.FindAsync(one.Id, default));
        }

        TestCredential.AssertSame(expected[4], await store.FindByIdentityAsync(expected[4].Identity!.Value, default));
        Assert.Equal(expected.Length, (await store.ListAsync(null, default)).Count);
        TestCredential.AssertSame(robot, Assert.Single(await store.ListAsync(TestCredential.RobotAlice, default)));
        using var feed = new RevocationFeed(store, TimeProvider.System, NullLogger<RevocationFeed>.Instance);
        Assert.True(await feed.ReadAsync(default));
        Assert.Equal(
            [
                CredentialChangeKind.Revoked, CredentialChangeKind.Shortened, CredentialChangeKind.Revoked,
                CredentialChangeKind.SubjectRevoked,
            ],
            (await store.ReadChangesAsync(0, default)).Changes.Select(static change => change.Kind));
        Assert.NotNull(feed.FindBlock(new Subject
        {
            Kind = SubjectKind.User,
            Name = "corp/mallory",
            Method = "ldap",
        }));
        Assert.Equal(
            [Blocked, Lifted.Lift(Now.AddMinutes(5), "root")],
            (await store.ReadBlocksAsync("", default)).Blocks!
                .OrderBy(static one => one.At)
                .ThenBy(static one => one.LiftedAt is not null));
        Assert.Equal(
            Identity.ProviderSubject,
            (await new RedisIdentityStore(redis).FindAsync(Identity.Method, Identity.Name, default))!.ProviderSubject);
        Assert.Single(await new RedisKeyStore(redis, KeyPassword).ReadAsync(default));
        Assert.Equal("text", Assert.Single(new RedisXmlRepository(redis).GetAllElements()).Value);
    }

    /// <summary>Does what gateways do with a store.</summary>
    public static async Task FillAsync(RedisOptions options)
    {
        await using var redis = new RedisConnection(options, TimeProvider.System, NullLogger<RedisConnection>.Instance);
        var store = new RedisCredentialStore(
            redis, options, TimeProvider.System, NullLogger<RedisCredentialStore>.Instance);
        foreach (var credential in Added)
        {
            await store.AddAsync(credential, default);
        }

        await store.RevokeAsync("revoked", Now.AddMinutes(1), default);
        await store.ShortenAsync("shortened", Now.AddMinutes(2), default);
        await store.RevokeAllAsync(TestCredential.RobotAlice, Now.AddMinutes(3), default);
        await store.RecordUsesAsync(
            [new CredentialUse("personal", Now.AddMinutes(4), System.Net.IPAddress.Parse("192.0.2.1"))], default);
        await store.WriteBlockAsync(Blocked, default);
        await store.WriteBlockAsync(Lifted, default);
        await store.WriteBlockAsync(Lifted.Lift(Now.AddMinutes(5), "root"), default);
        await new RedisIdentityStore(redis).WriteAsync(Identity, default);
        await new RedisKeyStore(redis, KeyPassword).ChangeAsync(
            new SigningKeySchedule(new GatewayOptions().SigningKeySettings(), TimeProvider.System).First, default);
        new RedisXmlRepository(redis).StoreElement(new System.Xml.Linq.XElement("key", "text"), "key-1");
    }

    private static StoredCredential New(string id) =>
        TestCredential.New(id, createdAt: Now) with { ExpiresAt = Now.AddYears(50) };
}
