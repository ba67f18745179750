using Gateway.Credentials;
using Gateway.Tokens;

namespace Gateway.Audit;

/// <summary>Which part of the gateway a request was for, and what it asked there.</summary>
internal static class AuditSurface
{
    /// <summary>The registry API.</summary>
    public const string Registry = "registry";

    /// <summary>The token endpoint.</summary>
    public const string Token = "token";

    /// <summary>The API for tokens.</summary>
    public const string Api = "api";

    /// <summary>Everything else.</summary>
    public const string Http = "http";

    /// <summary>Works it out.</summary>
    /// <param name="context">The request.</param>
    /// <param name="operation">What was asked; <see langword="null"/> where only the path tells.</param>
    public static string Of(HttpContext context, out string? operation)
    {
        var path = context.Request.Path;
        operation = null;
        if (path.Value == TokenMiddleware.Path)
        {
            operation = "token";
            return Token;
        }

        if (path.StartsWithSegments("/v2", StringComparison.Ordinal))
        {
            return Registry;
        }

        if (!path.StartsWithSegments("/api", StringComparison.Ordinal))
        {
            return Http;
        }

        operation = (context.Request.Method, path.StartsWithSegments(TokenResource.Path, StringComparison.Ordinal, out var rest)
                ? rest.Value : null) switch
        {
            ("GET", "") => "listTokens",
            ("POST", "") => "createToken",
            ("GET", not null) => "showToken",
            ("DELETE", not null) => "revokeToken",
            ("POST", not null) => "rotateToken",
            _ => null,
        };
        return Api;
    }
}
