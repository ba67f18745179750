using System.Globalization;
using Microsoft.Extensions.Primitives;

namespace Gateway.Server.Requests.Tls;

/// <summary>Sends <c>Strict-Transport-Security</c> (RFC 6797) on every answer over TLS, errors included.</summary>
/// <remarks>
/// ASP.NET Core's own middleware leaves out localhost, and loses the header when an error handler clears the answer.
/// </remarks>
internal sealed class HstsMiddleware(RequestDelegate next, TimeSpan maxAge)
{
    private readonly StringValues _value =
        "max-age=" + ((long)maxAge.TotalSeconds).ToString(CultureInfo.InvariantCulture);

    public Task InvokeAsync(HttpContext context)
    {
        if (context.Request.IsHttps)
        {
            // Set last, so that it neither gets lost nor duplicates one that the upstream sent.
            context.Response.OnStarting(
                static state =>
                {
                    var (headers, value) = ((IHeaderDictionary, StringValues))state;
                    headers.StrictTransportSecurity = value;
                    return Task.CompletedTask;
                },
                (context.Response.Headers, _value));
        }

        return next(context);
    }
}
