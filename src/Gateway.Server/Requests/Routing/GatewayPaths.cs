namespace Gateway.Server.Requests.Routing;

/// <summary>
/// The addresses of what the gateway answers itself beside the registry API. The pages have <see cref="PortalPaths"/>.
/// </summary>
internal static class GatewayPaths
{
    /// <summary>The token endpoint.</summary>
    public const string Token = "/token";

    /// <summary>The API for personal and robot tokens.</summary>
    public const string TokenApi = "/api/v1/tokens";
}
