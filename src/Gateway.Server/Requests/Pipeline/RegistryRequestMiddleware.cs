using Gateway.Core.Registry;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace Gateway.Server.Requests.Pipeline;

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

        if (result.Request.Operation == RegistryOperation.PutManifest
            && !IsManifestType(context.Request.Headers.ContentType))
        {
            return context.WriteErrorAsync(new RegistryError(
                "MANIFEST_INVALID",
                StatusCodes.Status415UnsupportedMediaType,
                "the Content-Type is repeated or that of a form; send the manifest's media type once"));
        }

        GatewayContext.Of(context).Request = result.Request;
        return next(context);
    }

    // The registry reads parameters out of a form's body on any operation, before it takes the body for a manifest.
    // Bodies of uploads lose their type on the way (UpstreamRequestTransform); a manifest's must be kept.
    private static bool IsManifestType(StringValues types)
    {
        var text = types.Count == 1 ? types[0].AsSpan() : default;
        var semicolon = text.IndexOf(';');
        var type = (semicolon < 0 ? text : text[..semicolon]).Trim();
        return types.Count <= 1
            && !type.Equals("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase)
            && !type.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase);
    }

    private static RegistryError? Refusal(HttpContext context)
    {
        var headers = context.Request.Headers;
        // A proxy library may turn an upgrade into a GET that nobody authorized.
        if (headers.ContainsKey("Upgrade")
            || context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true })
        {
            return RegistryError.BadRequest(
                "the registry API does not support protocol upgrades; remove the Upgrade header");
        }

        // Some servers take the method from here: what is decided must be what is done.
        foreach (var name in MethodOverrides)
        {
            if (headers.ContainsKey(name))
            {
                return RegistryError.BadRequest(
                    $"the header {name} is not accepted; send the request with the actual method");
            }
        }

        return null;
    }
}
