using System.Collections.Frozen;

namespace Gateway.Core.Authorization;

/// <summary>The authenticated caller, in its one canonical form.</summary>
public sealed record Subject
{
    /// <summary>The caller without credentials.</summary>
    public static readonly Subject Anonymous = new() { Kind = SubjectKind.Anonymous, Name = "", Method = "none" };

    /// <summary>What kind of caller this is.</summary>
    public required SubjectKind Kind { get; init; }

    /// <summary>The canonical name, without its kind: <c>alice</c>, <c>ci-deploy</c>; empty for anonymous.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// What proved it: <c>htpasswd</c>, <c>ldap:corp</c>, <c>oidc:keycloak</c>, <c>issuer:github</c>, <c>robot</c>.
    /// </summary>
    public required string Method { get; init; }

    /// <summary>Groups that the proving method confirms, in addition to those that policy files declare.</summary>
    public IReadOnlyList<string> Groups { get; init; } = [];

    /// <summary>Claims that the proving method confirms, by name. Compared exactly, case-sensitive.</summary>
    public FrozenDictionary<string, string> Claims { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>Whether no credentials were presented.</summary>
    public bool IsAnonymous => Kind == SubjectKind.Anonymous;

    /// <summary>
    /// The subject as people and records see it: <c>user:alice</c>, <c>robot:ci-deploy</c>, <c>anonymous</c>.
    /// </summary>
    public override string ToString() => Kind switch
    {
        SubjectKind.Anonymous => "anonymous",
        SubjectKind.User => "user:" + Name,
        SubjectKind.Robot => "robot:" + Name,
        _ => "workload:" + Name,
    };
}
