using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Registry.Proxying;

/// <summary>Counts the bytes of a body that is passed on, also of one that breaks off: no header says that.</summary>
internal sealed class CountedStream(Stream inner, GatewayContext gateway) : DelegatingStream(inner)
{
    /// <summary>Has the bodies of a request that is about to be forwarded counted.</summary>
    public static void Count(HttpContext context, GatewayContext gateway)
    {
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            context.Request.Body = new CountedStream(context.Request.Body, gateway);
        }

        context.Response.Body = new CountedStream(context.Response.Body, gateway);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await Inner.ReadAsync(buffer, cancellationToken);
        gateway.BytesReceived += read;
        return read;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        gateway.BytesSent += buffer.Length;
        return Inner.WriteAsync(buffer, cancellationToken);
    }
}
