using Gateway.Server.Requests.Pipeline;
using Microsoft.AspNetCore.Http.Features;

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
        var features = context.Features;
        var body = features.GetRequiredFeature<IHttpResponseBodyFeature>();
        var sent = new CountingStream(body.Stream);
        features.Set<IHttpResponseBodyFeature>(new CountingResponseBody(body, sent));
        CountingStream? received = null;
        if (features.Get<IHttpRequestBodyDetectionFeature>() is not { CanHaveBody: false })
        {
            received = new CountingStream(context.Request.Body);
            context.Request.Body = received;
        }

        var audited = new AuditedRequest(time.GetUtcNow(), time.GetTimestamp())
        {
            Sent = sent,
            Received = received,
        };
        features.Set(audited);
        return audited;
    }
}
