using Gateway.Core.Authorization;

namespace Gateway.Server.Tokens.Credentials;

/// <summary>The subjects that tokens belong to, as people write them.</summary>
internal static class CredentialOwner
{
    /// <summary>A robot. It exists as soon as it has a token, and as far as policies name it.</summary>
    public static Subject Robot(string name) =>
        new() { Kind = SubjectKind.Robot, Name = name, Method = "robot" };

    /// <summary>A person of the htpasswd file.</summary>
    public static Subject User(string name) =>
        new() { Kind = SubjectKind.User, Name = name, Method = "htpasswd" };

    /// <summary>
    /// Reads <c>user:alice</c>, <c>user:corp/alice</c>, <c>robot:ci-deploy</c> or <c>workload:github/acme/app</c>;
    /// <see langword="null"/> for anything else.
    /// </summary>
    /// <remarks>
    /// Every name that a policy can give a person, also one that no source knows any more: the tokens of someone who
    /// left must stay revocable. The method says nothing then; what belongs to an owner goes by kind and name alone.
    /// </remarks>
    public static Subject? Parse(string text) => text.Split(':', 2) switch
    {
        ["workload", var name]
            when name.IndexOf('/', StringComparison.Ordinal) is var slash and > 0 && SubjectSelector.IsName(name) =>
            new() { Kind = SubjectKind.Workload, Name = name, Method = "issuer:" + name[..slash] },
        ["user", var name] when SubjectSelector.IsName(name) => User(name),
        ["robot", var name] when RobotName.IsValid(name) => Robot(name),
        _ => null,
    };
}
