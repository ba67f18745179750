using Yarp.ReverseProxy.Transforms;

namespace Gateway.Server.Registry.Proxying;

/// <summary>
/// A feature of a request whose step must see the upstream's answer before the client gets any of it.
/// </summary>
internal interface IUpstreamAnswerObserver
{
    /// <summary>Called once, if an answer came.</summary>
    /// <param name="context">
    /// The answer. Its body may be read here and written to the client, if the forwarder is told not to.
    /// </param>
    /// <param name="isRelayed">
    /// Whether the client gets it, its headers being in place; else it gets a refusal, which is not written yet.
    /// </param>
    ValueTask AnsweredAsync(ResponseTransformContext context, bool isRelayed);
}
