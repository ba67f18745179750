using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Server.Registry.Proxying;

/// <summary>Tells the forwarder that a request has no body, whatever the client sent.</summary>
internal sealed class NoRequestBody : IHttpRequestBodyDetectionFeature
{
    /// <summary>The only one.</summary>
    public static readonly NoRequestBody Instance = new();

    /// <inheritdoc/>
    public bool CanHaveBody => false;
}
