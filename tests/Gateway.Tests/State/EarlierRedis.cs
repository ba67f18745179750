using Gateway.Identities;
using Gateway.Keys;
using Gateway.Redis;
using Gateway.Sessions;
using Gateway.State;
using Gateway.Tests.Tls;
using Gateway.Tokens;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.State;

/// <summary>
/// What a gateway of version 0.2.0 wrote into Redis: <c>data/redis-0.2.0.aof</c> is the append-only file of a Redis 7.0 after
/// <see cref="FillAsync"/> of that version's own code. This build reads it, and writes the same.
/// </summary>
internal static class EarlierRedis
{
    public const string KeyPassword = "correct horse battery staple";

    public static readonly DateTimeOffset Now = new DateTimeOffset(2026, 11, 1, 12, 0, 0, TimeSpan.Zero).AddTicks(1234567);

    /// <summary>One of each kind, in every state; <c>shortened</c> and those of the robot are as they were before what was done to them.</summary>
    public static IReadOnlyList<StoredCredential> Added { get; } =
    [
        New("personal"),
        New("robot") with { Kind = CredentialKind.Robot, Owner = Credentials.RobotAlice },
        New("revoked"),
        New("shortened"),
        New("job") with { Kind = CredentialKind.Workload, Identity = SecretHash.Of("identity of job"), KeptUntil = Now.AddDays(1) },
        Credentials.NewComplete("complete") with
        {
            CreatedAt = Now.AddDays(-1),
            ExpiresAt = Now.AddYears(50),
            KeptUntil = Now.AddYears(60),
            RevokedAt = null,
            LastUsedAt = Now.AddHours(-1),
        },
    ];

    public static SubjectBlock Blocked { get; } = SubjectBlock.Create(null, "user:corp/mallory", Now, "root") with { Reason = "left" };

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

    /// <summary>Does what gateways do with a store.</summary>
    public static async Task FillAsync(RedisOptions options)
    {
        await using var redis = new RedisConnection(options, TimeProvider.System, NullLogger<RedisConnection>.Instance);
        var store = new RedisCredentialStore(redis, options, TimeProvider.System, NullLogger<RedisCredentialStore>.Instance);
        foreach (var credential in Added)
        {
            await store.AddAsync(credential, default);
        }

        await store.RevokeAsync("revoked", Now.AddMinutes(1), default);
        await store.ShortenAsync("shortened", Now.AddMinutes(2), default);
        await store.RevokeAllAsync(Credentials.RobotAlice, Now.AddMinutes(3), default);
        await store.RecordUsesAsync([new CredentialUse("personal", Now.AddMinutes(4), System.Net.IPAddress.Parse("192.0.2.1"))], default);
        await store.WriteBlockAsync(Blocked, default);
        await store.WriteBlockAsync(Lifted, default);
        await store.WriteBlockAsync(Lifted.Lift(Now.AddMinutes(5), "root"), default);
        await new RedisIdentityStore(redis).WriteAsync(Identity, default);
        await new RedisKeyStore(redis, KeyPassword).ChangeAsync(
            new SigningKeySchedule(new TokenOptions(), new AdjustableClock(Now)).First, default);
        new RedisXmlRepository(redis).StoreElement(new System.Xml.Linq.XElement("key", "text"), "key-1");
    }

    private static StoredCredential New(string id) =>
        Credentials.New(id, createdAt: Now) with { ExpiresAt = Now.AddYears(50) };
}
