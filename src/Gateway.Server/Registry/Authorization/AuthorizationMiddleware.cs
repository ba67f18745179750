using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Server.Registry.Uploads;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Reloading;
using Gateway.Server.Requests.Routing;
using Gateway.Server.SignIn.Authentication;

namespace Gateway.Server.Registry.Authorization;

/// <summary>
/// Third step of a registry request: may the caller do it? Rights are policy, the credential's limit and the access
/// token's scope, whichever is less. Nothing behind this step runs without an allow.
/// </summary>
/// <remarks>
/// The order tells a client what helps: policy refuses permanently (403, or sign in); a limited token needs another
/// token (403); a narrow access token is fetched anew (401 insufficient_scope). All of it before the upstream is asked,
/// so that nothing tells whether a repository exists.
/// </remarks>
internal sealed partial class AuthorizationMiddleware(
    RequestDelegate next,
    Reloadable<PolicySet> policies,
    TagGuard tags,
    Challenge challenge,
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
                "NAME_UNKNOWN", 404, $"no registry behind this gateway serves \"{repository}\""));
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
        if (RefuseUnasked(context, gateway, policy, access) is { } refusal)
        {
            gateway.DecidedAt = time.GetTimestamp();
            await refusal;
            return;
        }

        using var verdict = await tags.DecideAsync(policy, access, gateway.Request, registry, context.RequestAborted);
        gateway.Decision = verdict.Decision;
        gateway.DecidedAt = time.GetTimestamp();
        if (!verdict.Decision.IsAllowed)
        {
            await DenyAsync(context, gateway, policy, verdict.Access, verdict.Decision, verdict.Reason);
            return;
        }

        if (uploads.Admit(gateway) is { } error)
        {
            await context.WriteErrorAsync(error);
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

    // What is refused without a question to the upstream; null where nothing is.
    private Task? RefuseUnasked(HttpContext context, GatewayContext gateway, PolicySet policy, in AccessRequest access)
    {
        if (policy.Grantable(access) != access.Actions)
        {
            return DenyAsync(context, gateway, policy, access, policy.Evaluate(access), reason: null);
        }

        var principal = gateway.Principal;
        var beyondLimit = principal.Limit is null ? 0 : access.Actions & ~principal.Limit.ActionsOn(access.Repository);
        if (beyondLimit != 0)
        {
            LogDenied(gateway, "the limit of the token");
            return context.WriteErrorAsync(
                Denial.ForHead(gateway.Request, Denial.DescribeLimit(access, beyondLimit, principal.Limit!)));
        }

        var beyondScope = principal.Scope is null ? 0 : access.Actions & ~principal.Scope.ActionsOn(access.Repository);
        return beyondScope == 0
            ? null
            : RefuseScopeAsync(
                context, $"the token does not grant {ActionNames.Format(beyondScope)} here; request another");
    }

    private async Task AuthorizeWithoutRepositoryAsync(HttpContext context, GatewayContext gateway, PolicySet policy)
    {
        var principal = gateway.Principal;
        var mayDoSomething = policy.HasAnyGrant(gateway.Subject);
        if (gateway.Request.Operation == RegistryOperation.ListCatalog)
        {
            if (gateway.Subject.IsAnonymous && !mayDoSomething)
            {
                await ChallengeAnonymousAsync(context, gateway);
                return;
            }

            // A caller without rights needs no scope for the empty list: no token could ever hold it.
            if (principal.Scope is { Catalog: false } && mayDoSomething)
            {
                await RefuseScopeAsync(context, "the token does not grant access to the catalog; request another");
                return;
            }
        }
        else if (gateway.Subject.IsAnonymous && principal.Scope is null
            && !(context.Request.Headers.Authorization.Count > 0 && mayDoSomething))
        {
            // Any access token answers a ping, also an empty one: that is how "docker login" tries it. Without
            // credentials it is always challenged. Podman says "anonymous" with empty Basic credentials, which is an
            // answer too.
            await ChallengeAnonymousAsync(context, gateway);
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
        return sameRegistry
            && policy.Evaluate(fromSource).IsAllowed
            && gateway.Principal.Limit?.ActionsOn(source).HasFlag(RepositoryActions.Pull) is not false
            && gateway.Principal.Scope?.ActionsOn(source).HasFlag(RepositoryActions.Pull) is not false
            ? request
            : request.WithoutMount();
    }

    private async Task DenyAsync(
        HttpContext context,
        GatewayContext gateway,
        PolicySet policy,
        AccessRequest access,
        AccessDecision decision,
        string? reason)
    {
        gateway.Decision = decision;
        LogDenied(gateway, decision.Rule?.ToString() ?? "no rule");
        if (gateway.Subject.IsAnonymous)
        {
            await ChallengeAnonymousAsync(context, gateway); // no reason is worked out for nobody
            return;
        }

        var denial = Denial.Describe(policy, access, decision, reason);
        if (gateway.SignIn is { Form: SignInForm.Certificate } && challenge.AlwaysAsks)
        {
            // A cluster's node shows its certificate for every workload, and containerd sends the workload's own
            // password only once it is asked. A workload without one returns with a token for the certificate, and the
            // denial is final.
            challenge.Set(context);
            denial = denial with
            {
                Code = RegistryError.Unauthorized("").Code,
                StatusCode = StatusCodes.Status401Unauthorized,
            };
        }
        else
        {
            denial = Denial.ForHead(gateway.Request, denial);
        }

        await context.WriteErrorAsync(denial);
    }

    private void LogDenied(GatewayContext gateway, string by) => Log.Denied(
        logger, gateway.RequestId, gateway.Subject, gateway.Request.Operation, gateway.Request.Repository!.Value,
        gateway.Request.Reference?.Value ?? "", by);

    // An anonymous caller may be allowed once signed in, and so is asked to; only a known caller gets a reason.
    private Task RefuseAnonymousOrAsync(HttpContext context, GatewayContext gateway, RegistryError error) =>
        gateway.Subject.IsAnonymous ? ChallengeAnonymousAsync(context, gateway) : context.WriteErrorAsync(error);

    // Where a token was presented, an error is named: containerd asks for a new one only then.
    private Task ChallengeAnonymousAsync(HttpContext context, GatewayContext gateway)
    {
        const string description = "this needs a sign-in; run docker login";
        challenge.Set(
            context,
            gateway.Principal.Scope is null ? ChallengeError.None : ChallengeError.InsufficientScope,
            description);
        return context.WriteErrorAsync(RegistryError.Unauthorized("authentication required"));
    }

    private Task RefuseScopeAsync(HttpContext context, string description)
    {
        challenge.Set(context, ChallengeError.InsufficientScope, description);
        return context.WriteErrorAsync(RegistryError.Unauthorized(description));
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
