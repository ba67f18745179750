using System.Text;
using Gateway.Core.Registry;
using Gateway.Foundation.Trust;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Reloading;
using Gateway.Server.Requests.Routing;

namespace Gateway.Server.Portal.Trust;

/// <summary>Serves the authority's certificate and the page about it, to everyone.</summary>
internal sealed class TrustMiddleware(RequestDelegate next, Reloadable<PrivateAuthority> authority)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (!TrustPaths.Include(context.Request.Path))
        {
            return next(context);
        }

        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            return context.WriteErrorAsync(
                RegistryError.MethodNotAllowed("this page must be requested with GET", "GET"));
        }

        return context.Request.Path.Value == TrustPaths.File
            ? WriteFileAsync(context)
            : TrustPage.WriteAsync(
                context, new RegistryName(GatewayContext.Of(context).Host.Authority), authority.Current);
    }

    private async Task WriteFileAsync(HttpContext context)
    {
        var bytes = Encoding.ASCII.GetBytes(authority.Current.Pem);
        var response = context.Response;
        response.ContentType = "application/pem-certificate-chain"; // RFC 8555, section 9.1
        response.ContentLength = bytes.Length;
        response.Headers.ContentDisposition = "attachment; filename=\"ca.crt\"";
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.CacheControl = "no-store";
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await response.Body.WriteAsync(bytes, context.RequestAborted);
        }
    }
}
