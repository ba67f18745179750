using Gateway.Server.Limits.RateLimiting;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>
/// What <see cref="SignInGuard"/> said about an attempt, and needs to know when it is over. The default: not counted.
/// </summary>
internal readonly record struct SignInPermit
{
    /// <summary>Why it is not checked, or <see langword="null"/>.</summary>
    public AuthenticationResult.Throttled? Throttled { get; init; }

    /// <summary>What is presented; <see langword="null"/> where it is no password.</summary>
    public BasicCredentials? Shown { get; init; }

    /// <summary>Identifies the password, where it is one.</summary>
    public CredentialKey? Key { get; init; }

    /// <summary>How it counts as failed until it is forgiven; <see langword="null"/> where it does not.</summary>
    public CountedFailure? Counted { get; init; }

    /// <summary>Whether others with the same name and password wait for how this one ends.</summary>
    public bool IsFirst { get; init; }

    /// <summary>Whether the very same attempt counted a moment ago, so that this one does not.</summary>
    public bool IsAgain { get; init; }
}
