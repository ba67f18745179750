namespace Gateway.Authentication;

/// <summary>The one place that writes <c>WWW-Authenticate</c>.</summary>
internal static class Challenge
{
    /// <summary>Puts the challenge on a 401.</summary>
    /// <param name="response">The answer being prepared.</param>
    /// <param name="service">The host as clients write it. It must contain neither quotes nor the name of a scheme.</param>
    /// <remarks>Exactly one challenge: docker runs the first and then overwrites it with the second.</remarks>
    public static void Set(HttpResponse response, string service) =>
        response.Headers.WWWAuthenticate = $"Basic realm=\"{service}\"";
}
