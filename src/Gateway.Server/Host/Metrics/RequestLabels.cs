using Gateway.Core.Registry;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Routing;
using Gateway.Server.Tokens.Service;

namespace Gateway.Server.Host.Metrics;

/// <summary>The labels of a request that has ended: words from fixed lists.</summary>
internal static class RequestLabels
{
    /// <summary>What was asked.</summary>
    public static string OperationOf(HttpContext context, GatewayContext gateway)
    {
        if (gateway.HasRequest)
        {
            return GatewayMetrics.NameOf(gateway.Request.Operation);
        }

        var path = context.Request.Path;
        return path.Value == TokenMiddleware.Path ? "token"
            : path.StartsWithSegments("/api", StringComparison.Ordinal) ? "api"
            : PortalPaths.Include(path) || TrustPaths.Include(path) ? "portal"
            : path.StartsWithSegments("/.well-known", StringComparison.Ordinal) ? "keys"
            : "other"; // what no step understood
    }

    /// <summary>How it ended.</summary>
    public static string OutcomeOf(HttpContext context, GatewayContext gateway)
    {
        if (context.RequestAborted.IsCancellationRequested && !IsAnswered(context, gateway))
        {
            return "aborted";
        }

        return context.Response.StatusCode switch
        {
            < StatusCodes.Status400BadRequest => "ok",
            StatusCodes.Status401Unauthorized => gateway.SignIn is { Outcome: not SignInOutcome.Accepted }
                ? "sign_in_refused"
                : "unauthenticated",
            StatusCodes.Status403Forbidden => "denied",
            // HEAD of a blob is denied so; see Denial.ForHead.
            StatusCodes.Status404NotFound =>
                gateway.Error is { Code: RegistryError.DeniedCode } ? "denied" : "not_found",
            StatusCodes.Status429TooManyRequests => "limited",
            < StatusCodes.Status500InternalServerError => "rejected",
            StatusCodes.Status502BadGateway or StatusCodes.Status504GatewayTimeout => "upstream_failed",
            StatusCodes.Status503ServiceUnavailable => "unavailable",
            _ => "failed",
        };
    }

    // A client may hang up as soon as it has its answer, which is no aborted answer.
    private static bool IsAnswered(HttpContext context, GatewayContext gateway) =>
        context.Response.HasStarted
        && ((gateway.AnsweredAt == 0 && !gateway.IsFromCache) // answered here, in one piece
            || gateway.Error is not null
            || HttpMethods.IsHead(context.Request.Method)
            || gateway.Bodies.Sent >= (context.Response.ContentLength ?? long.MaxValue));
}
