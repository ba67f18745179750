namespace Gateway.Server.Tokens.Credentials;

/// <summary>Who changes a token, and by which request.</summary>
/// <param name="Name">As people see it: <c>user:alice</c>, <c>operator</c>.</param>
/// <param name="RequestId">The request that asked for it; <see langword="null"/> for a command.</param>
internal readonly record struct CredentialActor(string Name, string? RequestId = null)
{
    /// <summary>An actor without a request.</summary>
    public static implicit operator CredentialActor(string name) => new(name);
}
