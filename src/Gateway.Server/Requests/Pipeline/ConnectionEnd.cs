namespace Gateway.Server.Requests.Pipeline;

/// <summary>Ends a connection with the answer that is about to be written.</summary>
internal static class ConnectionEnd
{
    /// <summary>
    /// Has the connection closed after this answer. Where a body's end is in doubt, nobody can say who sent what
    /// follows it (RFC 9112, section 6.3). HTTP/2 has frames: there a stream ends by itself.
    /// </summary>
    public static void CloseAfterwards(this HttpContext context)
    {
        if (!HttpProtocol.IsHttp2(context.Request.Protocol))
        {
            context.Response.OnStarting(
                static state =>
                {
                    ((HttpResponse)state).Headers.Connection = "close"; // late: an error clears what was set before it
                    return Task.CompletedTask;
                },
                context.Response);
        }
    }
}
