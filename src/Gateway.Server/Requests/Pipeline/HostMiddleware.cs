using Gateway.Core.Registry;
using Gateway.Server.Requests.Routing;

namespace Gateway.Server.Requests.Pipeline;

/// <summary>
/// Refuses requests for hosts that are not ours: a Host header reaches answers and chooses the registry.
/// </summary>
internal sealed class HostMiddleware(RequestDelegate next, RegistryRouter router)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (!context.Request.Host.HasValue)
        {
            return context.WriteErrorAsync(RegistryError.BadRequest("the request has no Host header; send one"));
        }

        if (router.FindHost(context.Request.Host.Value) is not { } host)
        {
            return context.WriteErrorAsync(new RegistryError(
                "UNSUPPORTED",
                StatusCodes.Status421MisdirectedRequest,
                $"this gateway does not serve the host \"{Shorten(context.Request.Host.Value)}\"; "
                + "its operator can add it to \"hosts\" in gateway.yaml"));
        }

        GatewayContext.Of(context).Host = host;
        return next(context);
    }

    private static string Shorten(string host) => host.Length <= 80 ? host : host[..80] + "…";
}
