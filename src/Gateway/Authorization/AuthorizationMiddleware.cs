using Gateway.Authentication;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Pipeline;
using Gateway.Routing;
using Gateway.Reloading;
using Gateway.Uploads;

namespace Gateway.Authorization;

/// <summary>Third step of a registry request: does policy allow it? Nothing behind this step runs without an allow.</summary>
internal sealed partial class AuthorizationMiddleware(
    RequestDelegate next,
    Reloadable<PolicySet> policies,
    TagGuard tags,
    UploadContinuation uploads,
    TimeProvider time,
    ILogger<AuthorizationMiddleware> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var gateway = GatewayContext.Of(context);
        var policy = gateway.Policy = policies.Current;
        if (gateway.Request.Repository is not { } repository)
        {
            await AuthorizeWithoutRepositoryAsync(context, gateway, policy);
            return;
        }

        if (RegistryRouter.FindRegistry(gateway.Host, repository) is not { } registry)
        {
            await RefuseAnonymousOrAsync(context, gateway, new RegistryError(
                "NAME_UNKNOWN", 404, $"no registry behind this gateway holds \"{repository}\""));
            return;
        }

        gateway.Registry = registry;
        var access = gateway.Access = new AccessRequest
        {
            Subject = gateway.Subject,
            Registry = registry.Name,
            Repository = repository,
            Actions = RequiredAccess.For(gateway.Request.Operation),
            Tag = RequiredAccess.TagsOf(gateway.Request),
            ClientAddress = gateway.ClientAddress,
            Time = time.GetUtcNow(),
        };
        using var verdict = await tags.DecideAsync(policy, access, gateway.Request, registry, context.RequestAborted);
        gateway.Decision = verdict.Decision;
        if (!verdict.Decision.IsAllowed)
        {
            await DenyAsync(context, gateway, policy, verdict);
            return;
        }

        if (uploads.Admit(gateway) is { } refusal)
        {
            await context.WriteErrorAsync(refusal);
            return;
        }

        if (verdict.HoldsTag)
        {
            // The upstream stores a manifest that it has received even if the client hangs up, so the tag is held until
            // the upstream has answered, not until the client has left. A body that breaks off still ends the request.
            context.RequestAborted = CancellationToken.None;
        }

        gateway.Request = WithPermittedMount(gateway, policy, access);
        await next(context); // the verdict is held meanwhile: it may hold a tag against a second writer
    }

    private async Task AuthorizeWithoutRepositoryAsync(HttpContext context, GatewayContext gateway, PolicySet policy)
    {
        // A ping without credentials is always challenged: else docker never sends any and "login" accepts every password.
        // Podman says "nobody" with empty Basic credentials; that is an answer to the challenge.
        var answersTheChallenge = gateway.Request.Operation == RegistryOperation.ListCatalog
            || context.Request.Headers.Authorization.Count > 0;
        if (gateway.Subject.IsAnonymous && !(answersTheChallenge && policy.HasAnyGrant(Subject.Anonymous)))
        {
            await ChallengeAsync(context, gateway, "authentication required");
            return;
        }

        await next(context);
    }

    // A refused mount is answered by an ordinary upload start, whether or not the source exists: nothing is given away,
    // and containerd, which aborts a push on 401 and 403 here, goes on.
    private static RegistryRequest WithPermittedMount(GatewayContext gateway, PolicySet policy, in AccessRequest access)
    {
        var request = gateway.Request;
        if (request.Parameters.From is not { } source)
        {
            return request;
        }

        var fromSource = new AccessRequest
        {
            Subject = access.Subject,
            Registry = access.Registry,
            Repository = source,
            Actions = RepositoryActions.Pull,
            ClientAddress = access.ClientAddress,
            Time = access.Time,
        };
        var sameRegistry = ReferenceEquals(RegistryRouter.FindRegistry(gateway.Host, source), gateway.Registry);
        return sameRegistry && policy.Evaluate(fromSource).IsAllowed ? request : request.WithoutMount();
    }

    private async Task DenyAsync(HttpContext context, GatewayContext gateway, PolicySet policy, TagVerdict verdict)
    {
        Log.Denied(
            logger, gateway.RequestId, gateway.Subject, gateway.Request.Operation, gateway.Request.Repository!.Value,
            gateway.Request.Reference?.Value ?? "", verdict.Decision.Rule?.ToString() ?? "no rule");
        if (gateway.Subject.IsAnonymous)
        {
            await ChallengeAsync(context, gateway, "authentication required"); // no reason is worked out for nobody
            return;
        }

        await context.WriteErrorAsync(Denial.Describe(policy, verdict.Access, verdict.Decision, verdict.Reason));
    }

    // Who is not signed in may be allowed once he is, so he is asked to; only a known caller hears a reason.
    private static Task RefuseAnonymousOrAsync(HttpContext context, GatewayContext gateway, RegistryError error) =>
        gateway.Subject.IsAnonymous
            ? ChallengeAsync(context, gateway, "authentication required")
            : context.WriteErrorAsync(error);

    private static Task ChallengeAsync(HttpContext context, GatewayContext gateway, string message)
    {
        Challenge.Set(context.Response, gateway.Host.Authority);
        return context.WriteErrorAsync(RegistryError.Unauthorized(message));
    }

    private static partial class Log
    {
        [LoggerMessage(1301, LogLevel.Information,
            "Denied {RequestId}: {Subject} asked {Operation} on {Repository} {Reference}; decided by {Rule}.")]
        public static partial void Denied(
            ILogger logger, string requestId, Subject subject, RegistryOperation operation, string repository,
            string reference, string rule);
    }
}
