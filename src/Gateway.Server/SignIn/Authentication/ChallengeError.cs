namespace Gateway.Server.SignIn.Authentication;

/// <summary>What was wrong with an access token (RFC 6750, section 3.1).</summary>
internal enum ChallengeError
{
    /// <summary>
    /// Nothing, since none was sent: no <c>error</c> at all, so that clients fetch a token instead of giving up.
    /// </summary>
    None,

    /// <summary>
    /// <c>invalid_token</c>: expired, revoked, foreign. containerd refetches only where an error is named.
    /// </summary>
    InvalidToken,

    /// <summary><c>insufficient_scope</c>: a good token that was not issued for this.</summary>
    InsufficientScope,
}
