namespace Gateway.Core.RateLimiting;

/// <summary>What <c>Retry-After</c> says to a caller who is to try again.</summary>
/// <remarks>
/// podman, skopeo, buildah and regctl wait that long and ask again: skopeo four times, podman sixteen, and say nothing
/// meanwhile. So they get times after which they get through, or short ones, after which a person reads why not. The
/// others ask again at once or not at all. The error's text and detail have the full wait.
/// </remarks>
public static class RetryAfter
{
    /// <summary>The longest that clients wait before they ask again; what is longer they cap or ignore.</summary>
    public const int LongestSeconds = 60;

    /// <summary>How often the least patient of the clients that wait asks again.</summary>
    public const int Attempts = 4;

    /// <summary>
    /// For waits that no client sits out: four of them are about what clients wait without the header.
    /// </summary>
    public const int HopelessSeconds = 5;

    /// <summary>
    /// The header while a dependency is unavailable: long enough for its breaker to try again, short enough for a
    /// person to wait.
    /// </summary>
    public const string SecondsOfOutage = "5";

    /// <summary>Seconds until the next attempt, from 1 to <see cref="LongestSeconds"/>.</summary>
    /// <param name="wait">Until the request is possible again.</param>
    public static int For(TimeSpan wait)
    {
        var seconds = WholeSeconds(wait);
        var attempts = (seconds + LongestSeconds - 1) / LongestSeconds;
        return attempts > Attempts ? HopelessSeconds : (int)((seconds + attempts - 1) / attempts);
    }

    /// <summary>A wait in whole seconds, at least one, never too few.</summary>
    public static long WholeSeconds(TimeSpan wait) => (long)Math.Max(1, Math.Ceiling(wait.TotalSeconds));
}
