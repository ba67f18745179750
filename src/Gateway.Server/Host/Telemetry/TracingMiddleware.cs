using System.Diagnostics;
using Gateway.Foundation.Text;
using Gateway.Server.Host.Metrics;
using Gateway.Server.Requests.Pipeline;
using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Server.Host.Telemetry;

/// <summary>
/// Says in the request's span what was asked and what came of it: OpenTelemetry's conventions for HTTP servers.
/// </summary>
/// <remarks>Never the query, which may hold an upload's ticket, nor a header.</remarks>
internal sealed class TracingMiddleware(RequestDelegate next, TimeProvider time)
{
    /// <summary>The source of the gateway's own spans.</summary>
    public const string Source = "Gateway";

    private const int LongestText = 512;

    private static readonly ActivitySource Spans = new(Source);

    public Task InvokeAsync(HttpContext context)
    {
        if (Activity.Current is not { } span)
        {
            return next(context);
        }

        if (context.Features.GetRequiredFeature<ListenerFeature>().Kind != ListenerKind.Https)
        {
            // Health checks and scrapes would be most of what is recorded.
            span.IsAllDataRequested = false;
            span.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
        }

        return span.IsAllDataRequested ? DescribeAsync(context, span) : next(context);
    }

    private async Task DescribeAsync(HttpContext context, Activity span)
    {
        var started = time.GetTimestamp();
        try
        {
            await next(context);
        }
        finally
        {
            if (context.Features.Get<GatewayContext>() is { } gateway)
            {
                Describe(context, gateway, span);
                AddDecision(gateway, span, started);
            }
        }
    }

    private static void Describe(HttpContext context, GatewayContext gateway, Activity span)
    {
        var operation = RequestLabels.OperationOf(context, gateway);
        var method = gateway.HasRequest || HttpMethods.IsGet(context.Request.Method)
            || HttpMethods.IsPost(context.Request.Method)
            ? context.Request.Method
            : "_OTHER"; // a method that nobody knows is a client's own text
        span.DisplayName = $"{method} {operation}";
        span.SetTag("http.request.method", method);
        span.SetTag("http.response.status_code", context.Response.StatusCode);
        span.SetTag("url.scheme", "https");
        span.SetTag("url.path", Shorten(context.Request.Path.Value));
        span.SetTag("server.address", Shorten(context.Request.Host.Host));
        span.SetTag("client.address", gateway.ClientAddress.ToString());
        span.SetTag("network.protocol.version", HttpProtocol.IsHttp2(context.Request.Protocol) ? "2" : "1.1");
        span.SetTag("user_agent.original", Shorten(context.Request.Headers.UserAgent));
        span.SetTag("gateway.request_id", gateway.RequestId);
        span.SetTag("gateway.operation", operation);
        span.SetTag("gateway.outcome", RequestLabels.OutcomeOf(context, gateway));
        if (gateway.Registry is { } registry)
        {
            span.SetTag("gateway.registry", registry.Name);
        }

        if (gateway.IsFromCache)
        {
            span.SetTag("gateway.from_cache", true);
        }

        if (context.Response.StatusCode >= StatusCodes.Status500InternalServerError)
        {
            span.SetStatus(ActivityStatusCode.Error);
            span.SetTag(
                "error.type", context.Response.StatusCode.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }
    }

    // Afterwards, so that the steps need not know of spans.
    private void AddDecision(GatewayContext gateway, Activity span, long started)
    {
        if (gateway.DecidedAt == 0)
        {
            return;
        }

        using var decision = Spans.StartActivity(
            "decide", ActivityKind.Internal, span.Context, startTime: span.StartTimeUtc);
        decision?.SetTag("gateway.decision", gateway.Decision is { IsAllowed: true } ? "allowed" : "denied");
        decision?.SetEndTime(span.StartTimeUtc + time.GetElapsedTime(started, gateway.DecidedAt));
    }

    private static string? Shorten(string? text) =>
        text is null ? null : LogText.OneLine(text[..Math.Min(text.Length, LongestText)]);
}
