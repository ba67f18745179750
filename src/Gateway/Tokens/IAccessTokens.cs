using Gateway.Authentication;
using Gateway.Core.Authorization;
using Gateway.Core.Tokens;

namespace Gateway.Tokens;

/// <summary>Issues access tokens.</summary>
internal interface IAccessTokenIssuer
{
    /// <summary>Issues a token.</summary>
    /// <param name="principal">Its holder. The token never outlives <see cref="Principal.ExpiresAt"/>.</param>
    /// <param name="granted">What was granted: asked and policy, whichever is less.</param>
    /// <param name="audience">The host that it is for: <c>PublicHost.Authority</c>.</param>
    AccessToken Issue(Principal principal, AccessScope granted, string audience);
}

/// <summary>Verifies access tokens: of this gateway's own keys, for this host, in force now, nothing revoked.</summary>
internal interface IAccessTokenVerifier
{
    /// <summary>Verifies a token.</summary>
    /// <param name="token">Untrusted.</param>
    /// <param name="audience">The host that was asked: <c>PublicHost.Authority</c>.</param>
    /// <param name="continueUntil">
    /// Until when an expired token is good enough, for a request that continues an upload; else
    /// <see langword="null"/>.
    /// </param>
    /// <returns>Accepted, with the scope granted; or refused. Cheap where the same token was seen before.</returns>
    AuthenticationResult Verify(string token, string audience, DateTimeOffset? continueUntil);
}
