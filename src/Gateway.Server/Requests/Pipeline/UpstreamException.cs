using Gateway.Core.Registry;

namespace Gateway.Server.Requests.Pipeline;

/// <summary>A question of the gateway's own to an upstream got no usable answer. Never a yes, never a no.</summary>
internal sealed class UpstreamException(RegistryError error, Exception? inner = null) : Exception(error.Message, inner)
{
    /// <summary>What the client is told: 502, 503 or 504.</summary>
    public RegistryError Error { get; } = error;
}
