using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Records.Audit;

/// <summary>
/// Outermost of all: sees what became of each request and hands its line over. The request has not ended before that
/// line is with the system, so that a killed process loses the lines of requests under way and no others.
/// </summary>
internal sealed class AuditMiddleware(RequestDelegate next, AuditTrail trail, TimeProvider time)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var audited = Begin(context);
        var failed = true;
        try
        {
            await next(context);
            failed = false;
        }
        finally
        {
            // Without a context the request never got beyond the server's own checks.
            if (context.Features.Get<GatewayContext>() is { IsRecorded: true })
            {
                await trail.CompleteAsync(audited.End(context, time, failed), audited.Place);
            }
        }
    }

    private AuditedRequest Begin(HttpContext context)
    {
        var audited = new AuditedRequest(time.GetUtcNow(), time.GetTimestamp());
        context.Features.Set(audited);
        return audited;
    }
}
