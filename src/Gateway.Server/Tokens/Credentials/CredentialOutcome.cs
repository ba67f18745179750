using Gateway.Core.Tokens;
using Gateway.Foundation.Configuration;
using Gateway.Server.Store.State;

namespace Gateway.Server.Tokens.Credentials;

/// <summary>The result of an order for a token, or for its rotation.</summary>
internal abstract record CredentialOutcome
{
    private CredentialOutcome()
    {
    }

    /// <summary>It is created and stored.</summary>
    /// <param name="Credential">What is stored.</param>
    /// <param name="Secret">What is shown once, now.</param>
    /// <param name="Replaced">The rotated one, with its new expiry; <see langword="null"/> where none was.</param>
    public sealed record Issued(
        StoredCredential Credential, CredentialSecret Secret, StoredCredential? Replaced = null) : CredentialOutcome;

    /// <summary>
    /// The order is wrong. Each problem's source is the part of it, such as <see cref="CredentialService.NamePart"/>.
    /// </summary>
    public sealed record Invalid(IReadOnlyList<Problem> Problems) : CredentialOutcome;

    /// <summary>
    /// The order is right, but does not fit what exists: too many tokens, or the one to rotate has expired or was
    /// revoked.
    /// </summary>
    public sealed record Conflict(Problem Problem) : CredentialOutcome;
}
