namespace Gateway.Server.SignIn.Authentication;

/// <summary>How callers without credentials are asked for them.</summary>
public enum ChallengeScheme
{
    /// <summary>An access token from <c>/token</c> (Distribution, "Token Authentication Specification").</summary>
    Bearer,

    /// <summary>User name and password with each request (RFC 7617).</summary>
    Basic,
}
