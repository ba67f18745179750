using Gateway.Core.Registry;
using Gateway.Server.Requests.Pipeline;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Server.Records.Audit;

/// <summary>What the audit knows of a request while it runs, and the making of its lines.</summary>
internal sealed class AuditedRequest(DateTimeOffset time, long startedAt)
{
    /// <summary>The room held for the line at the end.</summary>
    public AuditPlace Place { get; set; }

    /// <summary>Whether it was let through to its effect.</summary>
    public bool IsAdmitted { get; set; }

    /// <summary>The line before the effect; it says that the request is let through.</summary>
    public RequestEntry Begin(HttpContext context) => Describe(context, isBegin: true, TimeSpan.Zero, isAborted: false);

    /// <summary>The line at the end.</summary>
    /// <param name="context">The request.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="failed">Whether an exception ended it, with the answer begun.</param>
    public RequestEntry End(HttpContext context, TimeProvider clock, bool failed) =>
        Describe(context, isBegin: false, clock.GetElapsedTime(startedAt), failed || IsBrokenOff(context));

    private RequestEntry Describe(HttpContext context, bool isBegin, TimeSpan duration, bool isAborted)
    {
        var gateway = GatewayContext.Of(context);
        var request = gateway.HasRequest ? gateway.Request : null;
        var surface = AuditSurface.Classify(context, out var operation);
        return new RequestEntry(time)
        {
            Surface = surface,
            IsBegin = isBegin,
            RequestId = gateway.RequestId,
            Decision = Decide(gateway, context.Response.StatusCode, isBegin || IsAdmitted, isAborted),
            Address = gateway.ClientAddress,
            Method = context.Request.Method,
            Target = request is null && surface != AuditSurface.Token ? PathOf(context) : null,
            Request = request,
            Operation = operation,
            Registry = gateway.Registry?.Name,
            Principal = gateway.HasPrincipal ? gateway.Principal : null,
            SignIn = gateway.SignIn,
            Rule = gateway.Decision?.Rule,
            Limit = gateway.Limit,
            Error = gateway.Error,
            Grant = gateway.Grant,
            ResolvedDigest = isBegin || request is null ? null : ReadDigest(context.Response),
            IsFromCache = gateway.IsFromCache,
            Status = context.Response.StatusCode,
            BytesIn = gateway.Bodies.Received,
            BytesOut = gateway.Bodies.Sent,
            Duration = duration,
            IsAborted = isAborted,
            UserAgent = context.Request.Headers.UserAgent,
        };
    }

    private static string Decide(GatewayContext gateway, int status, bool isAdmitted, bool isAborted) =>
        gateway.Error switch
        {
            { Code: RegistryError.DeniedCode } => AuditDecision.Deny,
            _ when isAdmitted => AuditDecision.Allow,
            null when isAborted => AuditDecision.Error, // the client hung up before anything was decided
            null => AuditDecision.Public,
            { Code: "TOOMANYREQUESTS" } => AuditDecision.Limit,
            { StatusCode: StatusCodes.Status401Unauthorized } =>
                gateway is { HasPrincipal: true, Subject.IsAnonymous: false }
                ? AuditDecision.Deny
                : AuditDecision.Challenge,
            { StatusCode: >= StatusCodes.Status500InternalServerError } => AuditDecision.Error,
            _ when gateway.Decision is { IsAllowed: false } => AuditDecision.Deny,
            _ => status >= StatusCodes.Status500InternalServerError ? AuditDecision.Error : AuditDecision.Refuse,
        };

    // A client that closes the connection right after a complete answer has aborted nothing.
    private static bool IsBrokenOff(HttpContext context) => context.Response.HasStarted
        ? context.Features.Get<IForwarderErrorFeature>() is not null
            || (context.RequestAborted.IsCancellationRequested && !HttpMethods.IsHead(context.Request.Method)
                && context.Response.ContentLength is { } length && length != GatewayContext.Of(context).Bodies.Sent)
        : context.RequestAborted.IsCancellationRequested;

    // What follows the question mark can be a secret: a ticket, or a password in the wrong place.
    private static string PathOf(HttpContext context)
    {
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var end = target.AsSpan().IndexOfAny('?', '#');
        return end < 0 ? target : target[..end];
    }

    private static Digest? ReadDigest(HttpResponse response) =>
        Digest.TryParse((string?)response.Headers["Docker-Content-Digest"], out var digest) ? digest : null;
}
