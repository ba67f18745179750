namespace Gateway.Server.SignIn.Authentication;

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
