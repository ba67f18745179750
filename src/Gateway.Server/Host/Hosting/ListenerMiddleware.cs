using Gateway.Core.Registry;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Host.Control;
using Gateway.Server.Host.Metrics;
using Gateway.Server.Limits.RateLimiting;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Routing;
using Gateway.Server.Tokens.Service;
using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Server.Host.Hosting;

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
    LimitsEndpoint limits,
    FilesEndpoint files)
{
    private const int LongestShown = 80;

    // Where a client that was told wrong puts what must not be read on the way (RFC 6750, section 2.3; the token
    // endpoint's form).
    private static readonly string[] SecretParameters = ["access_token", "refresh_token", "id_token", "password"];

    private readonly ManagementHosts _managementHosts = new(options);
    private readonly string _redirectBase = options.PublicUrl!.GetLeftPart(UriPartial.Authority);

    public Task InvokeAsync(HttpContext context) =>
        context.Features.GetRequiredFeature<ListenerFeature>().Kind switch
        {
            // Here alone: clients of the other listeners have no business with them.
            ListenerKind.Management when context.Request.Path.Value == MetricsEndpoint.Path =>
                _managementHosts.Contains(context.Request.Host)
                    ? metrics.AnswerAsync(context)
                    : MisdirectAsync(context),
            ListenerKind.Management => health.TryAnswerAsync(context, _managementHosts.Contains(context.Request.Host)),
            ListenerKind.Control when context.Request.Path.Value == LimitsEndpoint.Path => limits.HandleAsync(context),
            ListenerKind.Control when context.Request.Path.Value is FilesEndpoint.Path or FilesEndpoint.UsersPath =>
                files.HandleAsync(context),
            ListenerKind.Control => context.WriteErrorAsync(RegistryError.NotFound("there is no such command")),
            ListenerKind.Http when options.Listen.HttpHealth && HealthReport.IsHealthPath(context) =>
                health.TryAnswerAsync(context, _managementHosts.Contains(context.Request.Host)),
            ListenerKind.Http => RedirectAsync(context),
            _ when options.Listen.Management.Length == 0 && HealthReport.IsHealthPath(context) =>
                health.TryAnswerAsync(context, _managementHosts.Contains(context.Request.Host)),
            _ => next(context),
        };

    private static Task MisdirectAsync(HttpContext context)
    {
        GatewayContext.Of(context).IsRecorded = false; // nothing is decided
        var host = context.Request.Host.Value!;
        return context.WriteErrorAsync(new RegistryError(
            "UNSUPPORTED",
            StatusCodes.Status421MisdirectedRequest,
            "metrics are not served under the name "
            + $"\"{(host.Length <= LongestShown ? host : host[..LongestShown] + "…")}\"; "
            + "use the address, or add the name to listen.managementHosts in gateway.yaml"));
    }

    // To the same path at one of our own hosts; a client's Host header decides among those, never beyond them.
    private Task RedirectAsync(HttpContext context)
    {
        if (CarriesSecret(context.Request))
        {
            // Redirected, it would go on to work, and nobody would notice that all on the way can read the password.
            return context.WriteErrorAsync(RegistryError.BadRequest(
                $"this port only redirects; use {_redirectBase}. This request sent its password or token "
                + "unencrypted, so anyone on the network path could read it: replace it"));
        }

        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            // A redirected upload would send its body, and its password, twice: once in the clear.
            return context.WriteErrorAsync(RegistryError.BadRequest($"this port only redirects; use {_redirectBase}"));
        }

        var host = router.FindHost(context.Request.Host.Value ?? "");
        var target = (host?.Origin ?? _redirectBase) + context.Request.Path.ToUriComponent()
            + context.Request.QueryString;
        context.Response.StatusCode = StatusCodes.Status308PermanentRedirect;
        context.Response.Headers.Location = target;
        return Task.CompletedTask;
    }

    // A browser's cookies are not looked at: those of the gateway are "__Host-", which browsers never send without TLS,
    // and others are other programs' on the same host, whose visitors must still be redirected.
    private static bool CarriesSecret(HttpRequest request) =>
        request.Headers.Authorization.Count > 0
        || request.Headers.ProxyAuthorization.Count > 0
        // a form with the password
        || (HttpMethods.IsPost(request.Method) && request.Path.Value == TokenMiddleware.Path)
        || SecretParameters.Any(request.Query.ContainsKey);
}
