using Gateway.Configuration;
using Gateway.Core.Registry;
using Gateway.Metrics;
using Gateway.Pipeline;
using Gateway.RateLimiting;
using Gateway.Routing;
using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Hosting;

/// <summary>
/// Keeps the listeners apart: the plain one only redirects, the management one and the control socket never reach a
/// registry.
/// </summary>
internal sealed class ListenerMiddleware(
    RequestDelegate next,
    GatewayOptions options,
    RegistryRouter router,
    HealthReport health,
    MetricsEndpoint metrics,
    LimitsEndpoint limits)
{
    private readonly string _redirectBase = options.PublicUrl!.GetLeftPart(UriPartial.Authority);

    public Task InvokeAsync(HttpContext context) =>
        context.Features.GetRequiredFeature<ListenerFeature>().Kind switch
        {
            // Here alone: whoever reaches the other listeners has no business with them.
            ListenerKind.Management when context.Request.Path.Value == MetricsEndpoint.Path => metrics.AnswerAsync(context),
            ListenerKind.Management => health.TryAnswerAsync(context),
            ListenerKind.Control when context.Request.Path.Value == LimitsEndpoint.Path => limits.HandleAsync(context),
            ListenerKind.Control => context.WriteErrorAsync(RegistryError.NotFound("there is no such command")),
            ListenerKind.Http when options.Listen.HttpHealth && HealthReport.IsHealthPath(context) =>
                health.TryAnswerAsync(context),
            ListenerKind.Http => RedirectAsync(context),
            _ when options.Listen.Management.Length == 0 && HealthReport.IsHealthPath(context) =>
                health.TryAnswerAsync(context),
            _ => next(context),
        };

    // To the same path at one of our own hosts; a client's Host header decides among those, never beyond them.
    private Task RedirectAsync(HttpContext context)
    {
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            // A redirected upload would send its body, and its password, twice: once in the clear.
            return context.WriteErrorAsync(RegistryError.BadRequest($"this port only redirects; use {_redirectBase}"));
        }

        var host = router.FindHost(context.Request.Host.Value ?? "");
        var target = (host?.Origin ?? _redirectBase) + context.Request.Path.ToUriComponent() + context.Request.QueryString;
        context.Response.StatusCode = StatusCodes.Status308PermanentRedirect;
        context.Response.Headers.Location = target;
        return Task.CompletedTask;
    }
}
