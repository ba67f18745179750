using Gateway.Core.Tokens;
using Gateway.Server.SignIn.Authentication;

namespace Gateway.Server.Tokens.Service;

/// <summary>A token request, understood completely.</summary>
/// <param name="Credentials">
/// Who asks. A refresh token is the password of a user without a name, as containerd and BuildKit send it.
/// </param>
/// <param name="Asked">What is asked for; it may be nothing.</param>
/// <param name="Offline">Whether a refresh token is asked for as well.</param>
/// <param name="IsExchange">
/// Whether a job's ID token is to be exchanged (RFC 8693) instead of an access token issued.
/// </param>
internal sealed record TokenRequest(
    PresentedCredentials Credentials, AccessScope Asked, bool Offline, bool IsExchange = false);
