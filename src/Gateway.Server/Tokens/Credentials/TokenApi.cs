using System.Buffers;
using Gateway.Core.Authorization;
using Gateway.Core.RateLimiting;
using Gateway.Core.Registry;
using Gateway.Server.Records.Audit;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.SignIn.Authentication;

namespace Gateway.Server.Tokens.Credentials;

/// <summary>
/// <c>/api/v1/tokens</c>: people create and revoke their own tokens; administrators also robots' tokens. Described by
/// <c>/api/v1/openapi.json</c>, which is kept beside this file.
/// </summary>
/// <remarks>
/// Anyone who could exchange one token for another could prolong it for ever, so only a password signs in here.
/// </remarks>
internal sealed partial class TokenApi(
    TokenResource tokens,
    SignInGate signIn,
    AuditAdmission audit,
    Administrators administrators,
    ILogger<TokenApi> logger)
{
    private const string Description = "/api/v1/openapi.json";
    private const int LongestId = 64;

    private static readonly SearchValues<char> IdCharacters =
        SearchValues.Create("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_");

    private static readonly Lazy<byte[]> DescriptionText = new(ReadDescription);

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
            context.Response.Headers.RetryAfter = RetryAfter.SecondsOfOutage;
            await context.WriteErrorAsync(RegistryError.Unavailable(
                StatusCodes.Status503ServiceUnavailable,
                "the tokens cannot be reached at the moment, and no change is known to have "
                + "happened; try again shortly"));
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

        if (path == TokenResource.Path)
        {
            return method == HttpMethods.Get ? SignedInAsync(context, tokens.ListAsync)
                : method == HttpMethods.Post ? SignedInAsync(context, tokens.CreateAsync)
                : RefuseMethodAsync(context, "GET, POST");
        }

        const string below = TokenResource.Path + "/";
        return (path.StartsWith(below, StringComparison.Ordinal) ? path[below.Length..].Split('/') : []) switch
        {
            [var id] when IsId(id) =>
                method == HttpMethods.Get ? SignedInAsync(context, caller => tokens.ShowAsync(caller, id))
                : method == HttpMethods.Delete ? SignedInAsync(context, caller => tokens.RevokeAsync(caller, id))
                : RefuseMethodAsync(context, "GET, DELETE"),
            [var id, "rotate"] when IsId(id) => method == HttpMethods.Post
                ? SignedInAsync(context, caller => tokens.RotateAsync(caller, id))
                : RefuseMethodAsync(context, "POST"),
            _ => context.WriteErrorAsync(RegistryError.NotFound(
                $"nothing is served here; {Description} describes the API")),
        };
    }

    private async Task SignedInAsync(HttpContext context, Func<TokenApiCaller, Task> serve)
    {
        var gateway = GatewayContext.Of(context);
        // Pages that CORS allows are served, also those that may not use the credentials that the browser stores: it is
        // the browser that stops them. Every request that changes something is preflighted (JSON, DELETE); without
        // Access-Control-Allow-Credentials in that answer a script that wants them sent is refused before the request
        // is (Fetch standard, "CORS check"), and what a GET with them brings it cannot read. Forms cannot send JSON.
        if (gateway.Page == PageStanding.None
            && BrowserRequest.FindFault(context.Request, gateway.Host.Origin) is { } fault)
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
            await context.WriteErrorAsync(AuthenticationMiddleware.RepeatedHeader);
            return;
        }

        // The whole body first: a caller who was good when it began must still be so when it acts, however slowly it
        // comes.
        var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted); // 64 KiB at most: the server's own limit
        body.Position = 0;
        context.Request.Body = body;

        await ServeAsync(context, gateway, PresentedCredentials.Read(header), serve);
    }

    private async Task ServeAsync(
        HttpContext context, GatewayContext gateway, PresentedCredentials shown, Func<TokenApiCaller, Task> serve)
    {
        switch (await signIn.AuthenticateAsync(gateway, shown, context.RequestAborted))
        {
            case AuthenticationResult.Accepted({ Subject.IsAnonymous: true }):
                await ChallengeAsync(context, "authentication required: sign in with user name and password");
                break;
            case AuthenticationResult.Accepted(
                {
                    CredentialId: null, Scope: null,
                    Subject.Kind: SubjectKind.User
                } principal)
                when shown.Kind == PresentedCredentialsKind.Password:
                gateway.Principal = principal;
                if (await audit.TryAdmitAsync(context))
                {
                    await serve(
                        new TokenApiCaller(context, principal.Subject, administrators.Include(principal.Subject)));
                }

                break;
            case AuthenticationResult.Accepted:
                await context.WriteErrorAsync(RegistryError.Denied(
                    "a token cannot create, see or revoke tokens: sign in with your password"));
                break;
            case AuthenticationResult.Undecided:
                context.Response.Headers.RetryAfter = RetryAfter.SecondsOfOutage;
                await context.WriteErrorAsync(AuthenticationMiddleware.NotPossibleNow);
                break;
            case AuthenticationResult.Throttled throttled:
                await AuthenticationMiddleware.WriteThrottledAsync(context, throttled);
                break;
            case var refused:
                var why = AuthenticationMiddleware.Describe(shown, (refused as AuthenticationResult.Refused)?.Message);
                await ChallengeAsync(context, "authentication failed: " + why);
                break;
        }
    }

    private static bool IsId(string text) =>
        text.Length is > 0 and <= LongestId && !text.AsSpan().ContainsAnyExcept(IdCharacters);

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

    private static Task RefuseMethodAsync(HttpContext context, string allow) =>
        context.WriteErrorAsync(RegistryError.MethodNotAllowed(
            $"{(context.Request.Method.Length <= 16 ? context.Request.Method : "this method")} is not allowed "
            + "here", allow));

    private static Task ChallengeAsync(HttpContext context, string message)
    {
        Challenge.SetForPassword(context); // user name and password, whatever the registry API asks for
        return context.WriteErrorAsync(RegistryError.Unauthorized(message));
    }

    private static partial class Log
    {
        [LoggerMessage(1124, LogLevel.Error,
            "Request {RequestId} for tokens failed because the store failed: {Problem} Those who "
            + "are signed in stay signed in.")]
        public static partial void StoreFailed(ILogger logger, string requestId, string problem);
    }
}
