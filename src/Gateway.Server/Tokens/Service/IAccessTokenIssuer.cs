using Gateway.Core.Authorization;
using Gateway.Core.Tokens;

namespace Gateway.Server.Tokens.Service;

/// <summary>Issues access tokens.</summary>
internal interface IAccessTokenIssuer
{
    /// <summary>Issues a token.</summary>
    /// <param name="principal">Its holder. The token never outlives <see cref="Principal.ExpiresAt"/>.</param>
    /// <param name="granted">What was granted: the request or the policy, whichever is less.</param>
    /// <param name="audience">The host that it is for: <c>PublicHost.Authority</c>.</param>
    AccessToken Issue(Principal principal, AccessScope granted, string audience);
}
