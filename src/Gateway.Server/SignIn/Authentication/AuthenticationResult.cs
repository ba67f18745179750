using Gateway.Core.Authorization;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>
/// What one method, or all of them together, say about presented credentials. Five answers that must not be confused.
/// </summary>
internal abstract record AuthenticationResult
{
    private AuthenticationResult()
    {
    }

    /// <summary>Not this method's credentials: the next method is asked.</summary>
    public sealed record NotMine : AuthenticationResult
    {
        public static readonly NotMine Instance = new();
    }

    /// <summary>
    /// The credentials are wrong, or their owner is gone. The caller gets a 401 that does not say which.
    /// </summary>
    /// <param name="Reason">For the log and the audit record only; never a secret.</param>
    /// <param name="Message">
    /// What the caller may also know, having proved that they once held good credentials: that these expired or
    /// were revoked. <see langword="null"/>: only that they are wrong.
    /// </param>
    public sealed record Refused(string Reason, string? Message = null) : AuthenticationResult;

    /// <summary>The credentials are good.</summary>
    public sealed record Accepted(Principal Principal) : AuthenticationResult;

    /// <summary>
    /// The credentials were not checked, since too many others failed before. The caller gets a 429 and knows no more
    /// about them than before.
    /// </summary>
    /// <param name="RetryAfter">How long to wait before trying again.</param>
    /// <param name="Limit">The name of the limit that applies.</param>
    public sealed record Throttled(TimeSpan RetryAfter, string Limit) : AuthenticationResult;

    /// <summary>
    /// The method could not decide (its backing service is unavailable). The caller gets a 503, never a 401 or a yes.
    /// </summary>
    /// <param name="Reason">For the log; never a secret.</param>
    /// <param name="IsRefusedByOne">
    /// Whether another method knew the name and called the password wrong, so that it counts as a guess.
    /// </param>
    public sealed record Undecided(string Reason, bool IsRefusedByOne = false) : AuthenticationResult;
}
