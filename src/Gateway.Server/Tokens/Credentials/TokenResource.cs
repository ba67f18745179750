using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Foundation.Configuration;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Routing;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.Store.State;

namespace Gateway.Server.Tokens.Credentials;

/// <summary>What <c>/api/v1/tokens</c> does for a person who is signed in.</summary>
internal sealed class TokenResource(CredentialService credentials, SubjectStanding standing, TimeProvider time)
{
    /// <summary>The path of the tokens.</summary>
    public const string Path = GatewayPaths.TokenApi;

    private const string NameMember = "name", RobotMember = "robot", ScopesMember = "scopes";
    private const string LifetimeMember = "expiresIn", OverlapMember = "overlap";

    /// <summary>Lists.</summary>
    public async Task ListAsync(TokenApiCaller caller)
    {
        var query = caller.Context.Request.Query;
        if (query.Any(static parameter => parameter.Key != "owner" || parameter.Value.Count != 1))
        {
            await caller.Context.WriteErrorAsync(RegistryError.BadRequest(
                "the query has a parameter other than \"owner\", or \"owner\" twice; send "
                + "\"?owner=user:alice\" or none"));
            return;
        }

        var text = (string?)query["owner"] ?? caller.Subject.ToString();
        var everybody = text == "*";
        var owner = everybody ? null : CredentialOwner.Parse(text);
        if (!everybody && owner is null)
        {
            await caller.Context.WriteErrorAsync(RegistryError.BadRequest(
                "the parameter \"owner\" names no owner; send user:NAME, robot:NAME or * for everyone"));
            return;
        }

        if (!caller.IsAdministrator && (owner is null || !caller.Is(owner)))
        {
            await caller.Context.WriteErrorAsync(RegistryError.Denied(
                $"{caller.Subject} may see only their own tokens; the operator sets in "
                + "tokens.administrators who may see others"));
            return;
        }

        var now = time.GetUtcNow();
        var found = await credentials.ListAsync(owner, caller.Context.RequestAborted);
        await WriteAsync(
            caller.Context,
            StatusCodes.Status200OK,
            new TokenListDocument([.. found.Select(credential => TokenDocument.Of(credential, now))]),
            TokenJsonContext.Default.TokenListDocument);
    }

    /// <summary>Creates one.</summary>
    public async Task CreateAsync(TokenApiCaller caller)
    {
        var body = TokenApiBody.Read(
            await ReadBodyAsync(caller.Context), NameMember, ScopesMember, LifetimeMember, RobotMember);
        var robot = body.Text(RobotMember);
        var order = new CredentialOrder
        {
            Owner = robot is null ? caller.Subject : CredentialOwner.Robot(robot),
            Evidence = robot is null
                ? await standing.FindLastingEvidenceAsync(caller.Subject, caller.Context.RequestAborted)
                : null,
            Name = body.RequiredText(NameMember, "Give the token a name, such as \"laptop\"."),
            Limit = body.Scopes(ScopesMember),
            Lifetime = body.Duration(LifetimeMember),
            CreatedBy = caller.Subject.ToString(),
            RequestId = RequestIdOf(caller),
        };
        if (body.Problems.Count > 0)
        {
            await RefuseAsync(caller.Context, body.Problems);
            return;
        }

        if (robot is not null && !caller.IsAdministrator)
        {
            await caller.Context.WriteErrorAsync(RegistryError.Denied(
                $"{caller.Subject} may not create tokens for robots; the operator sets in "
                + "tokens.administrators who may"));
            return;
        }

        await WriteAsync(caller.Context, await credentials.CreateAsync(order, caller.Context.RequestAborted));
    }

    /// <summary>Shows one.</summary>
    public async Task ShowAsync(TokenApiCaller caller, string id)
    {
        if (await FindAsync(caller, id) is { } credential)
        {
            await WriteAsync(
                caller.Context,
                StatusCodes.Status200OK,
                TokenDocument.Of(credential, time.GetUtcNow()),
                TokenJsonContext.Default.TokenDocument);
        }
    }

    /// <summary>
    /// Revokes one. 204 also where it was revoked already: a repeated request wants it gone, and it is.
    /// </summary>
    public async Task RevokeAsync(TokenApiCaller caller, string id)
    {
        if (await FindAsync(caller, id) is not null)
        {
            await credentials.RevokeAsync(id, ActorOf(caller), caller.Context.RequestAborted);
            caller.Context.Response.StatusCode = StatusCodes.Status204NoContent;
        }
    }

    /// <summary>Replaces one.</summary>
    public async Task RotateAsync(TokenApiCaller caller, string id)
    {
        var body = TokenApiBody.Read(await ReadBodyAsync(caller.Context), OverlapMember, LifetimeMember);
        var overlap = body.Duration(OverlapMember) ?? CredentialService.DefaultOverlap;
        var lifetime = body.Duration(LifetimeMember);
        if (body.Problems.Count > 0)
        {
            await RefuseAsync(caller.Context, body.Problems);
            return;
        }

        if (await FindAsync(caller, id) is not { } credential)
        {
            return;
        }

        // The answer holds a new secret: with a person's token in hand an administrator would be that person.
        if (credential.Owner.Kind != SubjectKind.Robot && !caller.Is(credential.Owner))
        {
            await caller.Context.WriteErrorAsync(RegistryError.Denied(
                $"only {credential.Owner} may rotate this token; an administrator may revoke it"));
            return;
        }

        await WriteAsync(caller.Context, await credentials.RotateAsync(
            credential, overlap, lifetime, ActorOf(caller), caller.Context.RequestAborted));
    }

    private static string RequestIdOf(TokenApiCaller caller) => GatewayContext.Of(caller.Context).RequestId;

    private static CredentialActor ActorOf(TokenApiCaller caller) =>
        new(caller.Subject.ToString(), RequestIdOf(caller));

    // Another's token is answered like one that does not exist, so that ids reveal nothing.
    private async Task<StoredCredential?> FindAsync(TokenApiCaller caller, string id)
    {
        var credential = await credentials.FindAsync(id, caller.Context.RequestAborted);
        if (credential is not null && (caller.IsAdministrator || caller.Is(credential.Owner)))
        {
            return credential;
        }

        await caller.Context.WriteErrorAsync(new RegistryError(
            "TOKEN_UNKNOWN", StatusCodes.Status404NotFound, $"there is no token \"{id}\", or it is not yours"));
        return null;
    }

    private static async Task<ReadOnlyMemory<byte>> ReadBodyAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        return body.Length == 0 ? "{}"u8.ToArray() : body.ToArray();
    }

    private Task WriteAsync(HttpContext context, CredentialOutcome outcome)
    {
        switch (outcome)
        {
            case CredentialOutcome.Issued issued:
                GatewayContext.Of(context).Issued = issued.Credential.Kind;
                context.Response.Headers.Location = $"{Path}/{issued.Credential.Id}";
                return WriteAsync(
                    context,
                    StatusCodes.Status201Created,
                    IssuedTokenDocument.Of(issued, time.GetUtcNow()),
                    TokenJsonContext.Default.IssuedTokenDocument);
            case CredentialOutcome.Invalid(var problems):
                return RefuseAsync(context, problems);
            case CredentialOutcome.Conflict(var problem):
                return context.WriteErrorAsync(new RegistryError(
                    "TOKEN_CONFLICT", StatusCodes.Status409Conflict, problem.ToString()));
            default:
                throw new InvalidOperationException("another outcome");
        }
    }

    private static async Task WriteAsync<T>(HttpContext context, int statusCode, T document, JsonTypeInfo<T> type)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(document, type);
        context.Response.StatusCode = statusCode;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    private static Task RefuseAsync(HttpContext context, IReadOnlyList<Problem> problems) =>
        context.WriteErrorAsync(new RegistryError(
            "TOKEN_INVALID", StatusCodes.Status400BadRequest, string.Join(' ', problems.Select(ToMember))));

    private static Problem ToMember(Problem problem) =>
        problem.Source == CredentialService.OwnerPart ? problem with { Source = RobotMember } : problem;
}
