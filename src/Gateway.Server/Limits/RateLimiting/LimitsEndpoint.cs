using System.Text.Json;
using Gateway.Core.Registry;
using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Limits.RateLimiting;

/// <summary>
/// <c>/limits</c> on the control socket: <c>GET</c> shows budgets, <c>DELETE</c> resets those of a caller.
/// </summary>
internal sealed partial class LimitsEndpoint(LimitLedger ledger, ILogger<LimitsEndpoint> logger)
{
    /// <summary>Its path.</summary>
    public const string Path = "/limits";

    /// <summary>Answers.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        var text = (string?)context.Request.Query["of"];
        var isReset = HttpMethods.IsDelete(context.Request.Method);
        LimitHolder? holder = null;
        if ((text is not null || isReset) && !LimitHolder.TryParse(text ?? "", out holder))
        {
            await context.WriteErrorAsync(RegistryError.BadRequest($"no caller is named; write {LimitHolder.Forms}"));
            return;
        }

        LimitReport report;
        try
        {
            report = isReset
                ? await ledger.ResetAsync(holder!, context.RequestAborted)
                : await ledger.ShowAsync(holder, context.RequestAborted);
        }
        catch (StateException exception)
        {
            await context.WriteErrorAsync(
                RegistryError.Unavailable(StatusCodes.Status503ServiceUnavailable, exception.Message));
            return;
        }

        if (isReset)
        {
            Log.Reset(logger, text!);
        }

        context.Response.ContentType = "application/json";
        await JsonSerializer.SerializeAsync(
            context.Response.Body, report, LimitJsonContext.Default.LimitReport, context.RequestAborted);
    }

    private static partial class Log
    {
        [LoggerMessage(1204, LogLevel.Warning, "An operator reset the limits of {Holder}.")]
        public static partial void Reset(ILogger logger, string holder);
    }
}
