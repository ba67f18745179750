using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Gateway.Authentication;
using Gateway.Configuration;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Pipeline;
using Gateway.Reloading;
using Gateway.State;
using Gateway.Tokens;

namespace Gateway.Credentials;

/// <summary>
/// <c>/api/v1/tokens</c>: people make and end their own tokens; administrators robots' tokens too. Described by
/// <c>/api/v1/openapi.json</c>, which is kept beside this file.
/// </summary>
/// <remarks>
/// Whoever exchanges one token for another could prolong it for ever, so nothing but a password signs in here.
/// </remarks>
internal sealed partial class TokenApi(
    CredentialService credentials,
    CredentialAuthenticator authenticator,
    Reloadable<PolicySet> policies,
    TokenOptions options,
    TimeProvider time,
    ILogger<TokenApi> logger)
{
    private const string Tokens = "/api/v1/tokens";
    private const string Description = "/api/v1/openapi.json";
    private const string RetryAfterSeconds = "5";
    private const string NameMember = "name", RobotMember = "robot", ScopesMember = "scopes";
    private const string LifetimeMember = "expiresIn", OverlapMember = "overlap";
    private const int LongestId = 64;

    private static readonly SearchValues<char> IdCharacters =
        SearchValues.Create("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_");

    private static readonly Lazy<byte[]> DescriptionText = new(ReadDescription);

    private readonly SubjectSelector[] _administrators = [.. options.Administrators.Select(
        static text => SubjectSelector.TryParse(text, out var selector)
            ? selector
            : throw new FormatException("tokens.administrators was not validated"))];

    /// <summary>Answers a request below <c>/api/</c>.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        // At the start of the answer, because an error clears whatever was prepared before it.
        context.Response.OnStarting(
            static state =>
            {
                ((HttpResponse)state).Headers.CacheControl = "no-store";
                return Task.CompletedTask;
            },
            context.Response);
        try
        {
            await DispatchAsync(context);
        }
        catch (StateException exception)
        {
            Log.StoreFailed(logger, GatewayContext.Of(context).RequestId, exception.Message);
            context.Response.Headers.RetryAfter = RetryAfterSeconds;
            await context.WriteErrorAsync(RegistryError.Unavailable(
                StatusCodes.Status503ServiceUnavailable,
                "the tokens cannot be reached at the moment, and nothing is known to be changed; try again shortly"));
        }
    }

    // By the path itself: routing ignores case and a final slash, and this does not.
    private Task DispatchAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        var method = context.Request.Method;
        if (path == Description)
        {
            return method == HttpMethods.Get ? WriteDescriptionAsync(context) : RefuseMethodAsync(context, "GET");
        }

        if (path == Tokens)
        {
            return method == HttpMethods.Get ? SignedInAsync(context, ListAsync)
                : method == HttpMethods.Post ? SignedInAsync(context, CreateAsync)
                : RefuseMethodAsync(context, "GET, POST");
        }

        var parts = path.StartsWith(Tokens + "/", StringComparison.Ordinal) ? path[(Tokens.Length + 1)..].Split('/') : [];
        return parts switch
        {
            [var id] when IsId(id) => method == HttpMethods.Get ? SignedInAsync(context, caller => ShowAsync(caller, id))
                : method == HttpMethods.Delete ? SignedInAsync(context, caller => RevokeAsync(caller, id))
                : RefuseMethodAsync(context, "GET, DELETE"),
            [var id, "rotate"] when IsId(id) => method == HttpMethods.Post
                ? SignedInAsync(context, caller => RotateAsync(caller, id))
                : RefuseMethodAsync(context, "POST"),
            _ => context.WriteErrorAsync(RegistryError.NotFound(
                $"nothing is served here; {Description} describes the API")),
        };
    }

    private async Task SignedInAsync(HttpContext context, Func<Caller, Task> serve)
    {
        var gateway = GatewayContext.Of(context);
        if (BrowserRequest.FindFault(context.Request, gateway.Host.Origin) is { } fault)
        {
            await context.WriteErrorAsync(RegistryError.Denied(fault));
            return;
        }

        // Also without a body: "POST" with a body of its own kind is what a page elsewhere can send unasked.
        if (context.Request.Method == HttpMethods.Post && !BrowserRequest.IsJson(context.Request))
        {
            await context.WriteErrorAsync(new RegistryError(
                "UNSUPPORTED",
                StatusCodes.Status415UnsupportedMediaType,
                "send the body as JSON, with the header \"Content-Type: application/json\""));
            return;
        }

        var header = context.Request.Headers.Authorization;
        if (header.Count > 1)
        {
            await context.WriteErrorAsync(RegistryError.BadRequest("the Authorization header is repeated; send it once"));
            return;
        }

        switch (await authenticator.AuthenticateAsync(
            PresentedCredentials.Read(header),
            new CredentialContext(gateway.Host.Authority, gateway.ClientAddress),
            context.RequestAborted))
        {
            case AuthenticationResult.Accepted({ Subject.IsAnonymous: true }):
                await ChallengeAsync(context, "authentication required: sign in with user name and password");
                break;
            case AuthenticationResult.Accepted({ CredentialId: null, Scope: null, Subject.Kind: SubjectKind.User } principal):
                await serve(new Caller(context, principal.Subject, IsAdministrator(principal.Subject)));
                break;
            case AuthenticationResult.Accepted:
                await context.WriteErrorAsync(RegistryError.Denied(
                    "a token cannot make, see or end tokens: sign in with your password"));
                break;
            case AuthenticationResult.Undecided:
                context.Response.Headers.RetryAfter = RetryAfterSeconds;
                await context.WriteErrorAsync(RegistryError.Unavailable(
                    StatusCodes.Status503ServiceUnavailable, "sign-in is not possible at the moment; try again shortly"));
                break;
            case var refused:
                var why = (refused as AuthenticationResult.Refused)?.Message is { } message
                    ? $"the token is not accepted: {message}"
                    : "the user name or password is wrong";
                await ChallengeAsync(context, "authentication failed: " + why);
                break;
        }
    }

    private async Task ListAsync(Caller caller)
    {
        var query = caller.Context.Request.Query;
        if (query.Any(static parameter => parameter.Key != "owner" || parameter.Value.Count != 1))
        {
            await caller.Context.WriteErrorAsync(RegistryError.BadRequest(
                "the query has a parameter other than \"owner\", or that one twice; send \"?owner=user:alice\" or none"));
            return;
        }

        var text = (string?)query["owner"] ?? caller.Subject.ToString();
        var everybody = text == "*";
        var owner = everybody ? null : CredentialOwner.Parse(text);
        if (!everybody && owner is null)
        {
            await caller.Context.WriteErrorAsync(RegistryError.BadRequest(
                "the parameter \"owner\" names nobody; send user:NAME, robot:NAME or * for everybody"));
            return;
        }

        if (!caller.IsAdministrator && (owner is null || !caller.Is(owner)))
        {
            await caller.Context.WriteErrorAsync(RegistryError.Denied(
                $"{caller.Subject} may see only own tokens; the operator names in tokens.administrators who may see others"));
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

    private async Task CreateAsync(Caller caller)
    {
        var body = TokenApiBody.Read(
            await ReadBodyAsync(caller.Context), NameMember, ScopesMember, LifetimeMember, RobotMember);
        var robot = body.Text(RobotMember);
        var order = new CredentialOrder
        {
            Owner = robot is null ? caller.Subject : CredentialOwner.Robot(robot),
            Name = body.RequiredText(NameMember, "Call the token something, such as \"laptop\"."),
            Limit = body.Scopes(ScopesMember),
            Lifetime = body.Duration(LifetimeMember),
            CreatedBy = caller.Subject.ToString(),
        };
        if (body.Problems.Count > 0)
        {
            await RefuseAsync(caller.Context, body.Problems);
            return;
        }

        if (robot is not null && !caller.IsAdministrator)
        {
            await caller.Context.WriteErrorAsync(RegistryError.Denied(
                $"{caller.Subject} may not make tokens for robots; the operator names in tokens.administrators who may"));
            return;
        }

        await WriteAsync(caller.Context, await credentials.CreateAsync(order, caller.Context.RequestAborted));
    }

    private async Task ShowAsync(Caller caller, string id)
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

    // 204 also where it was revoked already: who asks twice wants it gone, and it is.
    private async Task RevokeAsync(Caller caller, string id)
    {
        if (await FindAsync(caller, id) is not null)
        {
            await credentials.RevokeAsync(id, caller.Subject.ToString(), caller.Context.RequestAborted);
            caller.Context.Response.StatusCode = StatusCodes.Status204NoContent;
        }
    }

    private async Task RotateAsync(Caller caller, string id)
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
            credential, overlap, lifetime, caller.Subject.ToString(), caller.Context.RequestAborted));
    }

    // Another's token is answered like one that does not exist, so that ids tell nothing.
    private async Task<StoredCredential?> FindAsync(Caller caller, string id)
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

    private bool IsAdministrator(Subject subject) =>
        _administrators.Length > 0 && policies.Current.IsPicked(subject, _administrators);

    private static bool IsId(string text) =>
        text.Length is > 0 and <= LongestId && !text.AsSpan().ContainsAnyExcept(IdCharacters);

    private static async Task<ReadOnlyMemory<byte>> ReadBodyAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted); // 64 KiB at most: the server's own limit
        return body.Length == 0 ? "{}"u8.ToArray() : body.ToArray();
    }

    private Task WriteAsync(HttpContext context, CredentialOutcome outcome)
    {
        switch (outcome)
        {
            case CredentialOutcome.Issued issued:
                context.Response.Headers.Location = $"{Tokens}/{issued.Credential.Id}";
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

    private static async Task WriteDescriptionAsync(HttpContext context)
    {
        var body = DescriptionText.Value;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    private static byte[] ReadDescription()
    {
        using var resource = typeof(TokenApi).Assembly.GetManifestResourceStream("openapi.json")!;
        using var text = new MemoryStream();
        resource.CopyTo(text);
        return text.ToArray();
    }

    private static Task RefuseAsync(HttpContext context, IReadOnlyList<Problem> problems) =>
        context.WriteErrorAsync(new RegistryError(
            "TOKEN_INVALID", StatusCodes.Status400BadRequest, string.Join(' ', problems.Select(ToMember))));

    private static Problem ToMember(Problem problem) =>
        problem.Source == CredentialService.OwnerPart ? problem with { Source = RobotMember } : problem;

    private static Task RefuseMethodAsync(HttpContext context, string allow) =>
        context.WriteErrorAsync(RegistryError.MethodNotAllowed(
            $"there is no {(context.Request.Method.Length <= 16 ? context.Request.Method : "such method")} here", allow));

    private static Task ChallengeAsync(HttpContext context, string message)
    {
        Challenge.SetForPassword(context);
        return context.WriteErrorAsync(RegistryError.Unauthorized(message));
    }

    private sealed record Caller(HttpContext Context, Subject Subject, bool IsAdministrator)
    {
        public bool Is(Subject owner) => owner.Kind == Subject.Kind && owner.Name == Subject.Name;
    }

    private static partial class Log
    {
        [LoggerMessage(1124, LogLevel.Error,
            "Request {RequestId} for tokens failed, as the store did: {Problem} Who is signed in stays so.")]
        public static partial void StoreFailed(ILogger logger, string requestId, string problem);
    }
}
