using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Registry.Uploads;

/// <summary>
/// Between understanding a request and authenticating it: reads the ticket of an upload, since an access token that has
/// expired is good enough beside one. It refuses nothing: a caller who is not signed in is to hear that first.
/// </summary>
internal sealed class UploadTicketMiddleware(RequestDelegate next, UploadContinuation uploads)
{
    public Task InvokeAsync(HttpContext context)
    {
        var gateway = GatewayContext.Of(context);
        gateway.Ticket = uploads.FindTicket(gateway);
        return next(context);
    }
}
