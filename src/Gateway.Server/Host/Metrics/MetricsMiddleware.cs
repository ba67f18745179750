using Gateway.Core.Tokens;
using Gateway.Server.Requests.Pipeline;
using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Server.Host.Metrics;

/// <summary>
/// Outermost: counts each request of the TLS listener once, when it has ended, from what the steps noted of it.
/// </summary>
internal sealed class MetricsMiddleware(RequestDelegate next, GatewayMetrics metrics, TimeProvider time)
{
    public async Task InvokeAsync(HttpContext context)
    {
        switch (context.Features.GetRequiredFeature<ListenerFeature>().Kind)
        {
            case ListenerKind.Https:
                break;
            case ListenerKind.Management when context.Features.Get<IHttpMetricsTagsFeature>() is { } server:
                server.MetricsDisabled = true; // what watches must not be most of what it sees
                await next(context);
                return;
            default:
                await next(context);
                return;
        }

        var started = time.GetTimestamp();
        try
        {
            await next(context);
        }
        finally
        {
            if (context.Features.Get<GatewayContext>() is { } gateway)
            {
                Record(context, gateway, started);
            }
        }
    }

    private void Record(HttpContext context, GatewayContext gateway, long started)
    {
        if (gateway.DecidedAt != 0)
        {
            metrics.Decided(gateway.Decision is { IsAllowed: true }, time.GetElapsedTime(started, gateway.DecidedAt));
        }

        if (gateway.AnsweredAt != 0)
        {
            metrics.UpstreamAnswered(
                gateway.Registry!.Name, gateway.Request.Operation,
                time.GetElapsedTime(gateway.ForwardedAt, gateway.AnsweredAt));
        }

        if (gateway.SignIn is { } attempt && attempt.Form != SignInForm.None)
        {
            metrics.SignedIn(attempt);
        }

        if (gateway.Limit is { } limit)
        {
            metrics.LimitHit(limit);
        }

        if (gateway.Grant is { } grant)
        {
            metrics.TokenIssued("access");
            if (grant.HasRefreshToken)
            {
                metrics.TokenIssued("refresh");
            }
        }

        if (gateway.Issued is { } issued)
        {
            metrics.TokenIssued(issued == CredentialKind.Robot ? "robot" : "personal");
        }

        if (gateway.ForwardedAt != 0 || gateway.IsFromCache)
        {
            // Where the gateway answered with an error, nothing of the upstream's body was passed on.
            metrics.Transferred(gateway.Bodies.Received, gateway.Error is null ? gateway.Bodies.Sent : 0);
        }

        // Last: who sees a request counted sees what belongs to it.
        metrics.RequestEnded(
            RequestLabels.OperationOf(context, gateway),
            RequestLabels.OutcomeOf(context, gateway),
            time.GetElapsedTime(started));
    }
}
