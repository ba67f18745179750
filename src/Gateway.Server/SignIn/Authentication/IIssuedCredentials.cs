using System.Net;
using Gateway.Core.Tokens;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>Judges the secrets of personal and robot tokens, wherever they are presented.</summary>
/// <remarks>
/// <see cref="CredentialAuthenticator"/> asks it first, for a password (Basic, or the form at the token endpoint) and
/// for what follows <c>Bearer</c>, so a secret of ours is never hashed as a password.
/// </remarks>
internal interface IIssuedCredentials
{
    /// <summary>Judges a secret.</summary>
    /// <param name="secret">Untrusted.</param>
    /// <param name="userName">
    /// The user name beside it, which must fit the owner; <see langword="null"/> where there is none.
    /// </param>
    /// <param name="clientAddress">Where it is used from.</param>
    /// <param name="cancellationToken">Ends the waiting when the client leaves.</param>
    /// <returns>
    /// <see cref="AuthenticationResult.NotMine"/> for a text that does not have the form of such a secret; a refresh
    /// token has not. <see cref="AuthenticationResult.Undecided"/> where the store cannot tell.
    /// </returns>
    ValueTask<AuthenticationResult> VerifyAsync(
        PresentedSecret secret, string? userName, IPAddress clientAddress, CancellationToken cancellationToken);
}
