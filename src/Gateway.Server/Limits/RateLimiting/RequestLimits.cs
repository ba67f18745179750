using System.Globalization;
using System.Net;
using System.Text;
using Gateway.Core.Authorization;
using Gateway.Core.RateLimiting;
using Gateway.Core.Registry;
using Gateway.Foundation.Configuration;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Reloading;

namespace Gateway.Server.Limits.RateLimiting;

/// <summary>Holds requests against the limits in force, and tells callers what is left.</summary>
internal sealed partial class RequestLimits(
    Reloadable<LimitSet> limits, RequestLimiter limiter, ILogger<RequestLimits> logger)
{
    /// <summary>Whether anything limits a class at all.</summary>
    public bool Concern(RequestClasses one) => !limits.Current.RulesFor(one).IsEmpty;

    /// <summary>Takes the permits that a request needs, and answers it where there are none left.</summary>
    /// <param name="context">The request; who asks is known.</param>
    /// <param name="policy">Knows who is in which group.</param>
    /// <param name="one">Its class.</param>
    /// <param name="permits">How many it needs; none: it is told what is left, and never refused.</param>
    /// <returns>Whether it may go on; where not, it is answered.</returns>
    public async ValueTask<bool> AdmitAsync(HttpContext context, PolicySet policy, RequestClasses one, int permits)
    {
        var gateway = GatewayContext.Of(context);
        var charges = Find(gateway, policy, one);
        if (charges.Count == 0)
        {
            return true;
        }

        var lease = (LimitLease)await limiter.AcquireAsync(charges, permits, context.RequestAborted);
        Announce(context.Response, lease);
        if (lease.IsAcquired)
        {
            return true;
        }

        var rule = lease.Tightest!.Rule;
        gateway.Limit = rule.Name;
        Log.Refused(logger, gateway.RequestId, gateway.Subject, gateway.ClientAddress, rule.Name);
        await RefuseAsync(context, rule, lease.RetryAfter);
        return false;
    }

    /// <summary>Gives back what the start of an upload took that was cancelled.</summary>
    public async ValueTask GiveBackAsync(HttpContext context, PolicySet policy, RequestClasses one)
    {
        var charges = Find(GatewayContext.Of(context), policy, one);
        if (charges.Count > 0)
        {
            await limiter.GiveBackAsync(charges, CancellationToken.None); // also where the client has left meanwhile
        }
    }

    private IReadOnlyList<LimitCharge> Find(GatewayContext gateway, PolicySet policy, RequestClasses one) =>
        limits.Current.Find(
        policy,
        new LimitRequest(
            one, gateway.Subject, gateway.ClientAddress, gateway.HasRequest ? gateway.Request.Repository : null));

    // Docker Hub's headers: docs.docker.com/docker-hub/usage/pulls. Set when the answer starts, since an error clears
    // what was prepared before it.
    private static void Announce(HttpResponse response, LimitLease lease) => response.OnStarting(
        static state =>
        {
            var (response, lease) = ((HttpResponse, LimitLease))state;
            var quota = lease.Tightest!.Rule.Quota;
            var seconds = (quota.Tolerance + 999_999) / 1_000_000;
            response.Headers["ratelimit-limit"] = string.Create(
                CultureInfo.InvariantCulture, $"{quota.Burst};w={seconds}");
            response.Headers["ratelimit-remaining"] =
                string.Create(CultureInfo.InvariantCulture, $"{lease.Verdict.Remaining};w={seconds}");
            response.Headers["docker-ratelimit-source"] = SafeInHeader(lease.Tightest.Source);
            return Task.CompletedTask;
        },
        (response, lease));

    private static string SafeInHeader(string source) =>
        source.AsSpan().ContainsAnyExceptInRange('!', '~') ? Uri.EscapeDataString(source) : source;

    private static Task RefuseAsync(HttpContext context, LimitRule rule, TimeSpan wait)
    {
        var next = Duration.Format(TimeSpan.FromSeconds(RetryAfter.WholeSeconds(wait)));
        return context.WriteErrorAsync(RegistryError.TooManyRequests(
            $"the rate limit \"{rule.Name}\" is used up: {Describe(rule)}; try again in {next}. Your sign-in and "
            + "your rights are not the problem, and signing in again does not help",
            wait) with
        {
            Detail = new Dictionary<string, string> { ["limit"] = rule.Name },
        });
    }

    private static string Describe(LimitRule rule)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{rule.Quota.Rate} in {Duration.Format(rule.Quota.Window)}");
        if (rule.Quota.Burst != rule.Quota.Rate)
        {
            text.Append(CultureInfo.InvariantCulture, $", {rule.Quota.Burst} at once");
        }

        return text.ToString();
    }

    private static partial class Log
    {
        [LoggerMessage(1203, LogLevel.Information,
            "Refused {RequestId}: {Subject} at {Address} has used up the limit {Limit}.")]
        public static partial void Refused(
            ILogger logger, string requestId, Subject subject, IPAddress address, string limit);
    }
}
