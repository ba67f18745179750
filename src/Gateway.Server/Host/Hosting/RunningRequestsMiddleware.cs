using Gateway.Server.Requests.Pipeline;
using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Server.Host.Hosting;

/// <summary>
/// Outermost of all: has requests of clients waited for when the gateway ends. Health checks are not.
/// </summary>
internal sealed class RunningRequestsMiddleware(RequestDelegate next, RunningRequests running)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (context.Features.GetRequiredFeature<ListenerFeature>().Kind == ListenerKind.Management)
        {
            return next(context);
        }

        if (running.IsEnding)
        {
            context.CloseAfterwards(); // the next request of this client begins elsewhere
        }

        return running.RunAsync(context, next);
    }
}
