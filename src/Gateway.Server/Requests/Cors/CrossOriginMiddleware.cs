using Gateway.Server.Requests.Pipeline;
using Microsoft.Net.Http.Headers;

namespace Gateway.Server.Requests.Cors;

/// <summary>
/// What the framework's CORS step does not do: tells caches that answers differ by origin, whichever origin asked, and
/// tells the steps behind whether an allowed page asks.
/// </summary>
internal sealed class CrossOriginMiddleware(RequestDelegate next, AllowedOrigins origins, CorsOptions options)
{
    public Task InvokeAsync(HttpContext context)
    {
        // Registered before the framework's step, so that it runs after it: the last registered runs first.
        context.Response.OnStarting(
            static state =>
            {
                SetVary((IHeaderDictionary)state);
                return Task.CompletedTask;
            },
            context.Response.Headers);
        if (context.Request.Headers.Origin is [{ } origin] && origins.Contains(origin))
        {
            var gateway = GatewayContext.Of(context);
            gateway.Page = options.Credentials ? PageStanding.Trusted : PageStanding.Allowed;
            gateway.IsPageNamed = origins.Names(origin);
        }

        if (HttpMethods.IsOptions(context.Request.Method) && context.Request.Headers.Origin.Count > 0
            && context.Request.Headers.AccessControlRequestMethod.Count > 0)
        {
            // answered from the settings alone: nothing is decided for anybody
            GatewayContext.Of(context).IsRecorded = false;
        }

        return next(context);
    }

    // Also on answers to requests without an Origin: a cache that kept one of those for a page would break the page,
    // and one that kept a page's for another would open it (Fetch standard, "CORS protocol and HTTP caches"). The
    // framework leaves it out for origins that are not allowed, and appends it to an upstream's own.
    private static void SetVary(IHeaderDictionary headers)
    {
        if (headers.Vary.Count == 0)
        {
            headers.Vary = HeaderNames.Origin;
            return;
        }

        var others = headers.GetCommaSeparatedValues(HeaderNames.Vary)
            .Where(static name => !name.Equals(HeaderNames.Origin, StringComparison.OrdinalIgnoreCase));
        headers.Vary = string.Join(", ", others.Append(HeaderNames.Origin));
    }
}
