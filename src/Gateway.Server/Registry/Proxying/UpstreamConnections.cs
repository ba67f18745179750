using Gateway.Server.Requests.Pipeline;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Server.Registry.Proxying;

/// <summary>Makes the clients that connect to upstreams.</summary>
/// <param name="trust">Which certificates of upstreams are accepted.</param>
/// <param name="makesTraces">Whether traces are made here, so that their context goes upstream.</param>
/// <param name="sendsBodies">
/// Whether requests with a body go over these connections. The others need no <see cref="UpstreamConnection"/>, and
/// without it a request costs less: the client asks the socket, not a read that waits, whether it is still open.
/// </param>
/// <param name="logger">The library's.</param>
internal sealed class UpstreamConnections(
    UpstreamTrust trust, bool makesTraces, bool sendsBodies, ILogger<ForwarderHttpClientFactory> logger)
    : ForwarderHttpClientFactory(logger)
{
    protected override void ConfigureHandler(ForwarderHttpClientContext context, SocketsHttpHandler handler)
    {
        base.ConfigureHandler(context, handler);
        trust.Configure(context.ClusterId, handler);

        // Where no trace is made here, the client's own goes on as it came (UpstreamRequestTransform).
        handler.ActivityHeadersPropagator = makesTraces ? new TraceContext() : null;
        if (sendsBodies)
        {
            handler.PlaintextStreamFilter = static (connection, _) =>
                ValueTask.FromResult<Stream>(new UpstreamConnection(connection.PlaintextStream));
        }
    }
}
