using System.Collections.Frozen;
using System.Net;
using Gateway.Core.Authorization;
using Gateway.Core.Tokens;
using Gateway.Server.Store.State;

namespace Gateway.Tests.Server.Store.State;

/// <summary>Credentials for tests.</summary>
internal static class TestCredential
{
    /// <summary>An instant with all the digits that there are.</summary>
    public static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    public static readonly Subject Alice = new() { Kind = SubjectKind.User, Name = "alice", Method = "htpasswd" };

    public static readonly Subject RobotAlice = new() { Kind = SubjectKind.Robot, Name = "alice", Method = "robot" };

    /// <summary>One with as little as may be.</summary>
    public static StoredCredential New(string id, Subject? owner = null, DateTimeOffset? createdAt = null) => new()
    {
        Id = id,
        Kind = CredentialKind.Personal,
        Hash = SecretHash.Of("secret of " + id),
        Name = "laptop",
        Owner = owner ?? Alice,
        CreatedBy = "user:alice",
        CreatedAt = createdAt ?? Now,
        ExpiresAt = Now.AddDays(90),
    };

    /// <summary>One with everything that there is.</summary>
    public static StoredCredential NewComplete(string id)
    {
        Assert.True(CredentialLimit.TryParse(["team-a/**:pull,push", "**/base:pull"], out var limit, out _));
        return New(id) with
        {
            Kind = CredentialKind.Refresh,
            Name = "Zoë's “laptop” \\ 漢字 🐳 'quoted' \t;--",
            Owner = new Subject
            {
                Kind = SubjectKind.Workload,
                Name = "repo:acme/app ref:main ünï",
                Method = "issuer:github",
                Groups = ["team-a", "größe"],
                Claims = new Dictionary<string, string>
                {
                    ["repository"] = "acme/app",
                    ["ref"] = "refs/heads/é",
                }.ToFrozenDictionary(),
            },
            Limit = limit,
            Identity = SecretHash.Of("identity of " + id),
            KeptUntil = Now.AddHours(-1).AddTicks(3),
            Evidence = "sha256:abc",
            Service = "registry.example.com:8443",
            CreatedBy = "operator",
            RevokedAt = Now.AddMinutes(-3).AddTicks(7),
            LastUsedAt = Now.AddMinutes(-4).AddTicks(1),
            LastUsedFrom = IPAddress.Parse("2001:db8::1"),
        };
    }

    /// <summary>Compares every field; collections by what they hold.</summary>
    public static void AssertSame(StoredCredential expected, StoredCredential? actual)
    {
        Assert.NotNull(actual);
        Assert.Equal(expected.Owner.Groups, actual.Owner.Groups);
        Assert.Equal(expected.Owner.Claims.OrderBy(static c => c.Key), actual.Owner.Claims.OrderBy(static c => c.Key));
        var owner = actual.Owner with { Groups = expected.Owner.Groups, Claims = expected.Owner.Claims };
        Assert.Equal(expected, actual with { Owner = owner });
    }
}
