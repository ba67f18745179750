using Gateway.Core.Tokens;
using Gateway.Server.Requests.Routing;

namespace Gateway.Server.Records.Audit;

/// <summary>Which part of the gateway a request was for, and what it asked there.</summary>
internal static class AuditSurface
{
    /// <summary>The registry API.</summary>
    public const string Registry = "registry";

    /// <summary>The token endpoint.</summary>
    public const string Token = "token";

    /// <summary>The API for tokens.</summary>
    public const string Api = "api";

    /// <summary>The pages for people, and the endpoints for devices and providers.</summary>
    public const string Portal = "portal";

    /// <summary>Everything else.</summary>
    public const string Http = "http";

    /// <summary>Works it out.</summary>
    /// <param name="context">The request.</param>
    /// <param name="operation">What was asked; <see langword="null"/> where only the path tells.</param>
    public static string Classify(HttpContext context, out string? operation)
    {
        var path = context.Request.Path;
        operation = null;
        if (path.Value == GatewayPaths.Token)
        {
            operation = "token";
            return Token;
        }

        if (path.StartsWithSegments("/v2", StringComparison.Ordinal))
        {
            return Registry;
        }

        if (PortalPaths.Include(path) || TrustPaths.Include(path))
        {
            operation = PortalOperation(context.Request.Method, path.Value!);
            return Portal;
        }

        if (!path.StartsWithSegments("/api", StringComparison.Ordinal))
        {
            return Http;
        }

        operation =
            (context.Request.Method,
                path.StartsWithSegments(GatewayPaths.TokenApi, StringComparison.Ordinal, out var rest)
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

    private static string? PortalOperation(string method, string path) => (method, path) switch
    {
        ("POST", PortalPaths.Account + "/tokens") => "createToken",
        ("POST", PortalPaths.Account + "/revoke") => "revokeToken",
        ("POST", PortalPaths.SignOut) => "signOut",
        ("POST", PortalPaths.Device) => "approveDevice",
        ("POST", DeviceAuthorization.CodePath) => "beginDevice",
        ("POST", DeviceAuthorization.TokenPath) => "signInDevice",
        ("GET", _) when path.EndsWith("/callback", StringComparison.Ordinal) => "signIn",
        ("POST", _) when path.EndsWith("/logout", StringComparison.Ordinal) => "endSessions",
        _ => "showPage",
    };
}
