using System.Diagnostics;
using System.Net;
using Gateway.Core.Registry;
using Gateway.Foundation.Text;
using Gateway.Server.Requests.Tls;

namespace Gateway.Server.Requests.Pipeline;

/// <summary>
/// Outermost: names the request, settles the client's address, puts the headers that every answer carries, and turns
/// what escapes the other steps into an answer without a stack trace.
/// </summary>
internal sealed partial class RequestContextMiddleware(
    RequestDelegate next, ILogger<RequestContextMiddleware> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var gateway = Begin(context);
        // At the start of the answer, because an error clears whatever was prepared before it.
        context.Response.OnStarting(SetCommonHeaders, context);
        try
        {
            if (HasTwoLengths(context.Request.Headers))
            {
                context.CloseAfterwards();
                await context.WriteErrorAsync(RegistryError.BadRequest(
                    "the request has both Content-Length and Transfer-Encoding; send one of them"));
                return;
            }

            if (HasAnotherCoding(context.Request))
            {
                context.CloseAfterwards();
                await context.WriteErrorAsync(RegistryError.BadRequest(
                    "the request has a Transfer-Encoding other than \"chunked\"; send that or Content-Length"));
                return;
            }

            await next(context);
        }
        catch (BadHttpRequestException exception) when (!context.Response.HasStarted)
        {
            // Kestrel's own limits: a body too large or too slow, broken chunks.
            context.CloseAfterwards();
            await context.WriteErrorAsync(
                new RegistryError("UNSUPPORTED", exception.StatusCode, "the request is malformed or too large"));
        }
        catch (Exception exception) when (exception is OperationCanceledException or UpstreamException
            && context.RequestAborted.IsCancellationRequested)
        {
            context.Abort(); // the client left: nobody reads an answer, and no upstream failed
        }
        catch (UpstreamException exception) when (!context.Response.HasStarted)
        {
            Log.UpstreamFailed(
                logger, gateway.RequestId, exception.Message, LogText.OneLine(exception.InnerException?.Message));
            await context.WriteErrorAsync(exception.Error);
        }
        catch (StateException exception) when (!context.Response.HasStarted)
        {
            // Keys or credentials that cannot be read now: nothing is decided without them, and it passes.
            Log.StateFailed(logger, gateway.RequestId, LogText.OneLine(exception.Message));
            context.Response.Headers.RetryAfter = "5";
            await context.WriteErrorAsync(RegistryError.Unavailable(
                StatusCodes.Status503ServiceUnavailable,
                "the gateway cannot read its own state at the moment; try again shortly"));
        }
        catch (Exception exception) when (!context.Response.HasStarted)
        {
            Log.Failed(logger, exception, gateway.RequestId);
            await context.WriteErrorAsync(new RegistryError(
                "UNKNOWN", 500, $"the gateway failed; its log has the reason under request id {gateway.RequestId}"));
        }
    }

    private static GatewayContext Begin(HttpContext context)
    {
        var address = context.Connection.RemoteIpAddress ?? IPAddress.None;
        var gateway = new GatewayContext(
            ActivitySpanId.CreateRandom().ToHexString(),
            address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address)
        {
            Certificate = context.Features.Get<PresentedCertificate>(),
            Bodies = CountedBodies.Begin(context),
        };
        context.Features.Set(gateway);
        return gateway;
    }

    // Two servers that believe different ones see different requests (RFC 9112, section 6.1). Kestrel closes such a
    // connection after the request, but would serve it, with the Content-Length put away under another name.
    private static bool HasTwoLengths(IHeaderDictionary headers) =>
        headers.TransferEncoding.Count > 0
        && (headers.ContentLength is not null || headers.ContainsKey("X-Content-Length"));

    // Kestrel looks at the last coding only and undoes no other: the upstream would store what nobody decoded, and two
    // servers would see the body end in different places. Only HTTP/1.1 has codings (RFC 9112, section 6.1; RFC 9113,
    // section 8.2.2).
    private static bool HasAnotherCoding(HttpRequest request) =>
        (string?)request.Headers.TransferEncoding is { } codings
        && !(HttpProtocol.IsHttp11(request.Protocol)
        && string.Equals(codings, "chunked", StringComparison.OrdinalIgnoreCase));

    private static Task SetCommonHeaders(object state)
    {
        var context = (HttpContext)state;
        var headers = context.Response.Headers;
        headers["X-Request-Id"] = GatewayContext.Of(context).RequestId;
        headers.XContentTypeOptions = "nosniff";
        if (context.Request.Path.StartsWithSegments("/v2", StringComparison.Ordinal))
        {
            // docker takes an answer without it for something other than a registry.
            headers["Docker-Distribution-Api-Version"] = "registry/2.0";
            // Keeps a browser from running what somebody pushed, on the origin where people sign in.
            headers.ContentSecurityPolicy = "default-src 'none'; sandbox";
        }

        return Task.CompletedTask;
    }

    private static partial class Log
    {
        [LoggerMessage(1401, LogLevel.Error,
            "Request {RequestId} failed inside the gateway; other requests are not affected.")]
        public static partial void Failed(ILogger logger, Exception exception, string requestId);

        [LoggerMessage(1406, LogLevel.Warning,
            "Request {RequestId} is answered 503: {Problem} Requests that need neither signing keys nor "
            + "stored credentials are still served.")]
        public static partial void StateFailed(ILogger logger, string requestId, string problem);

        [LoggerMessage(1402, LogLevel.Warning, "Request {RequestId}: {Problem} {Cause}")]
        public static partial void UpstreamFailed(ILogger logger, string requestId, string problem, string cause);
    }
}
