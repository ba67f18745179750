using System.Text;
using Gateway.Core.Registry;
using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Host.Metrics;

/// <summary>Answers <c>/metrics</c>, on the management listener only: the world has no business with it.</summary>
internal sealed class MetricsEndpoint(MetricStore store)
{
    /// <summary>The path that Prometheus asks unless told otherwise.</summary>
    public const string Path = "/metrics";

    /// <summary>Writes every metric.</summary>
    public async Task AnswerAsync(HttpContext context)
    {
        GatewayContext.Of(context).IsRecorded = false; // asked all the time; nothing is decided
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            await context.WriteErrorAsync(
                RegistryError.MethodNotAllowed("metrics are read-only; use GET or HEAD", "GET, HEAD"));
            return;
        }

        var text = new StringBuilder(16 * 1024);
        store.Read(family => PrometheusText.Append(text, family));
        var body = Encoding.UTF8.GetBytes(text.ToString());
        context.Response.ContentType = PrometheusText.ContentType;
        context.Response.ContentLength = body.Length;
        context.Response.Headers.CacheControl = "no-store";
        if (HttpMethods.IsGet(context.Request.Method))
        {
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
        }
    }
}
