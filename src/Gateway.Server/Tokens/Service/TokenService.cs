using System.Net;
using Gateway.Core.Authorization;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Routing;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.Tokens.Credentials;

namespace Gateway.Server.Tokens.Service;

/// <summary>Answers token requests: who asks, what is granted, signed.</summary>
internal sealed class TokenService(
    CredentialAuthenticator authenticator,
    RefreshTokens refreshTokens,
    TokenGranter granter,
    IAccessTokenIssuer issuer,
    WorkloadExchange exchange,
    TimeProvider time)
{
    // An access token buys no other one, and a secret is a password here: exchanging never prolongs.
    private static readonly AuthenticationResult.Refused TokenShown = new(
        "a bearer token at the token endpoint",
        "the token endpoint accepts user name and password, or a refresh token");

    // The lifetime of an access token is in full seconds, so for the last moment of a credential there is none to
    // issue.
    private static readonly TimeSpan ShortestLife = TimeSpan.FromSeconds(1);

    private static readonly AuthenticationResult.Refused Expired = new("a credential in its last second", "it expired");

    /// <summary>Judges the credentials. Nothing is granted by it.</summary>
    /// <returns>Never <see cref="AuthenticationResult.NotMine"/>; wrong credentials are never anonymous.</returns>
    public async ValueTask<AuthenticationResult> AuthenticateAsync(
        PresentedCredentials credentials, PublicHost host, IPAddress clientAddress, CancellationToken cancellationToken)
    {
        if (credentials.Kind == PresentedCredentialsKind.Bearer)
        {
            return TokenShown;
        }

        var result = IsRefreshGrant(credentials)
            ? await refreshTokens.AuthenticateAsync(
                credentials.Password.Password, host.Authority, clientAddress, cancellationToken)
            : await authenticator.AuthenticateAsync(
                credentials, new CredentialContext(host.Authority, clientAddress), cancellationToken);
        return result is AuthenticationResult.Accepted({ ExpiresAt: { } end }) && end - time.GetUtcNow() < ShortestLife
            ? Expired
            : result;
    }

    /// <summary>Grants what may be granted and issues the token.</summary>
    /// <param name="request">The request.</param>
    /// <param name="principal">Who made it.</param>
    /// <param name="host">The host that was asked.</param>
    /// <param name="clientAddress">From where.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="AccessTokenException">It cannot be issued, and why.</exception>
    /// <exception cref="StateException">What was exchanged cannot be stored.</exception>
    public async Task<TokenAnswer> AnswerAsync(
        TokenRequest request, Principal principal, PublicHost host, IPAddress clientAddress,
        CancellationToken cancellationToken)
    {
        var granted = granter.Grant(principal, request.Asked, host, clientAddress);
        if (request.IsExchange)
        {
            return await exchange.ExchangeAsync(principal, request.Asked, granted, cancellationToken);
        }

        // first: where it fails, nothing is left in the store
        var token = issuer.Issue(principal, granted, host.Authority);
        var refreshToken = !request.Offline ? null
            // the same again: it is not rotated
            : IsRefreshGrant(request.Credentials) ? request.Credentials.Password.Password
            : await refreshTokens.IssueAsync(principal, host.Authority, cancellationToken);
        return new TokenAnswer(token, granted, refreshToken);
    }

    // containerd falls back to ":token", BuildKit starts with it; credential helpers store it under the user "<token>".
    private static bool IsRefreshGrant(PresentedCredentials credentials) =>
        credentials is { Kind: PresentedCredentialsKind.Password, Password.UserName: "" or "<token>" }
        && credentials.Form == SignInForm.RefreshToken;
}
