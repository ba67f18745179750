using System.Net;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>Signs jobs in by the ID tokens of outside issuers.</summary>
internal interface IWorkloadCredentials
{
    /// <summary>Judges one.</summary>
    /// <param name="token">Of the form of an ID token; untrusted.</param>
    /// <param name="clientAddress">From where.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns><see cref="AuthenticationResult.NotMine"/> where it is of no configured issuer.</returns>
    ValueTask<AuthenticationResult> VerifyAsync(
        string token, IPAddress clientAddress, CancellationToken cancellationToken);
}
