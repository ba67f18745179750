namespace Gateway.Server.Requests.Pipeline;

/// <summary>
/// Keeps other sites' pages from acting as the person who is signed in: browsers send cached Basic credentials with
/// every request to a host, whichever page made it.
/// </summary>
internal static class BrowserRequest
{
    /// <summary>
    /// Why a request is refused; <see langword="null"/> where it comes from no page, or from one of ours. What pages of
    /// other origins may do that the operator allows says <see cref="GatewayContext.Page"/>.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="ownOrigin">The origin of the host that was asked: <c>https://registry.example.com</c>.</param>
    public static string? FindFault(HttpRequest request, string ownOrigin)
    {
        // Fetch standard, "Origin header": on every request that is not a plain GET, also "null". Several are no one's.
        var origin = request.Headers.Origin;
        if (origin.Count > 0 && (origin.Count > 1 || !string.Equals(origin[0], ownOrigin, StringComparison.Ordinal)))
        {
            return $"requests from pages of other origins are not allowed; this origin is {ownOrigin}";
        }

        // W3C Fetch Metadata: "none" is the person, who typed the address.
        return (string?)request.Headers["Sec-Fetch-Site"] is null or "same-origin" or "none"
            ? null
            : $"requests from pages of other sites are not allowed; this origin is {ownOrigin}";
    }

    /// <summary>
    /// Whether a body is sent as JSON. A page elsewhere cannot send that without asking first (CORS), and only origins
    /// of
    /// <c>cors.origins</c> are answered with yes; with the browser's own credentials, only under
    /// <c>cors.credentials</c>.
    /// </summary>
    public static bool IsJson(HttpRequest request)
    {
        var types = request.Headers.ContentType;
        var text = types.Count == 1 ? types[0].AsSpan() : default;
        var semicolon = text.IndexOf(';');
        return (semicolon < 0 ? text : text[..semicolon]).Trim()
            .Equals("application/json", StringComparison.OrdinalIgnoreCase);
    }
}
