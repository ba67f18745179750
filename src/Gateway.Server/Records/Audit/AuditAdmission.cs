using Gateway.Core.RateLimiting;
using Gateway.Core.Registry;
using Gateway.Server.Requests.Pipeline;
using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Server.Records.Audit;

/// <summary>The last question before an effect: will there be a record of it?</summary>
internal sealed class AuditAdmission(AuditTrail trail)
{
    /// <summary>What is answered where there would be none.</summary>
    public static readonly RegistryError NotPossibleNow = RegistryError.Unavailable(
        StatusCodes.Status503ServiceUnavailable,
        "the gateway cannot write the audit trail at the moment, so it refuses this request; try again shortly");

    /// <summary>Has the trail accept the request's record; answers 503 where it does not.</summary>
    /// <returns>Whether the request may have its effect.</returns>
    /// <remarks>Once for a request: a second refusal would not take back what the first said.</remarks>
    public ValueTask<bool> TryAdmitAsync(HttpContext context)
    {
        if (!trail.IsOn)
        {
            return new ValueTask<bool>(true);
        }

        var audited = context.Features.GetRequiredFeature<AuditedRequest>();
        var admitted = trail.AdmitAsync(audited, context);
        if (admitted is not { IsCompletedSuccessfully: true, Result: true })
        {
            return FinishAsync(admitted, audited, context);
        }

        audited.IsAdmitted = true;
        return new ValueTask<bool>(true);
    }

    private static async ValueTask<bool> FinishAsync(
        ValueTask<bool> admitted, AuditedRequest audited, HttpContext context)
    {
        if (await admitted)
        {
            audited.IsAdmitted = true;
            return true;
        }

        context.Response.Headers.RetryAfter = RetryAfter.SecondsOfOutage;
        await context.WriteErrorAsync(NotPossibleNow);
        return false;
    }
}

/// <summary>Stands between the decision on a registry request and everything that acts on it.</summary>
internal sealed class AuditAdmissionMiddleware(RequestDelegate next, AuditAdmission admission)
{
    public Task InvokeAsync(HttpContext context)
    {
        var admitted = admission.TryAdmitAsync(context);
        return admitted is { IsCompletedSuccessfully: true, Result: true }
            ? next(context)
            : FinishAsync(admitted, context);
    }

    private async Task FinishAsync(ValueTask<bool> admitted, HttpContext context)
    {
        if (await admitted)
        {
            await next(context);
        }
    }
}
