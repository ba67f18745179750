using Gateway.Core.Registry;
using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Pipeline;

/// <summary>
/// First step of a registry request: understands it completely or refuses it. It reads the raw request target,
/// because the decoded path has already lost what distinguishes one repository from another.
/// </summary>
internal sealed class RegistryRequestMiddleware(RequestDelegate next)
{
    private static readonly string[] MethodOverrides = ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"];

    public Task InvokeAsync(HttpContext context)
    {
        if (Refusal(context) is { } refusal)
        {
            return context.WriteErrorAsync(refusal);
        }

        var rawTarget = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var result = RegistryRequestParser.Parse(context.Request.Method, rawTarget);
        if (!result.IsRequest)
        {
            return context.WriteErrorAsync(result.Error);
        }

        GatewayContext.Of(context).Request = result.Request;
        return next(context);
    }

    private static RegistryError? Refusal(HttpContext context)
    {
        var headers = context.Request.Headers;
        // A proxy library may turn an upgrade into a GET that nobody authorized.
        if (headers.ContainsKey("Upgrade")
            || context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true })
        {
            return RegistryError.BadRequest("the registry API has no protocol upgrade; remove the Upgrade header");
        }

        // Some servers take the method from here: what is decided must be what is done.
        foreach (var name in MethodOverrides)
        {
            if (headers.ContainsKey(name))
            {
                return RegistryError.BadRequest($"the header {name} is not accepted; send the method itself");
            }
        }

        return null;
    }
}
