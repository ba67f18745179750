using Gateway.Core.RateLimiting;
using Gateway.Core.Registry;
using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Limits.RateLimiting;

/// <summary>
/// Between authorization and the answer: has the caller permits left? At most one question to Redis for all limits of
/// the request. A request that is refused before costs nothing of any budget.
/// </summary>
internal sealed class RateLimitMiddleware(RequestDelegate next, RequestLimits limits)
{
    public Task InvokeAsync(HttpContext context)
    {
        var gateway = GatewayContext.Of(context);
        var (one, permits) = RequestClassifier.Classify(gateway.Request);
        var isCancel = gateway.Request.Operation == RegistryOperation.CancelUpload;
        return isCancel && limits.Concern(RequestClasses.Push) ? CancelAsync(context, gateway)
            : one == RequestClasses.None || !limits.Concern(one) ? next(context)
            : LimitAsync(context, limits.AdmitAsync(context, gateway.Policy, one, permits));
    }

    // Most permits are at hand, and nothing is to be done after the request.
    private Task LimitAsync(HttpContext context, ValueTask<bool> admission) =>
        admission.IsCompletedSuccessfully && admission.Result ? next(context) : WaitAsync(context, admission);

    private async Task WaitAsync(HttpContext context, ValueTask<bool> admission)
    {
        if (await admission)
        {
            await next(context);
        }
    }

    // Tools try whether they may push by starting an upload and cancelling it (kaniko; go-containerregistry). An upload
    // is cancelled once: the upstream knows it no more the second time.
    private async Task CancelAsync(HttpContext context, GatewayContext gateway)
    {
        await next(context);
        if (context.Response.StatusCode is >= 200 and < 300)
        {
            await limits.GiveBackAsync(context, gateway.Policy, RequestClasses.Push);
        }
    }
}
