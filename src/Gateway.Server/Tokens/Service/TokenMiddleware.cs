using System.Buffers;
using System.Security.Cryptography;
using Gateway.Core.Authorization;
using Gateway.Core.RateLimiting;
using Gateway.Core.Registry;
using Gateway.Core.Tokens;
using Gateway.Server.Limits.RateLimiting;
using Gateway.Server.Records.Audit;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Reloading;
using Gateway.Server.Requests.Routing;
using Gateway.Server.SignIn.Authentication;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace Gateway.Server.Tokens.Service;

/// <summary>The token endpoint, <c>/token</c>: HTTP in, HTTP out.</summary>
internal sealed class TokenMiddleware(
    RequestDelegate next,
    SignInGate signIn,
    TokenService tokens,
    RequestLimits limits,
    Reloadable<PolicySet> policies,
    AuditAdmission audit)
{
    /// <summary>The endpoint's path.</summary>
    public const string Path = GatewayPaths.Token;

    /// <summary>The largest form, in bytes.</summary>
    public const int LargestForm = 64 * 1024;

    private const int LargestTransfer = 8 * 1024 * 1024;
    private const string FormType = "application/x-www-form-urlencoded";

    private static readonly RegistryError MethodNotAllowed =
        RegistryError.MethodNotAllowed("the token endpoint accepts GET and POST", "GET, POST");

    private static readonly RegistryError WrongType = RegistryError.InvalidRequest(
        $"send the form as {FormType}, in UTF-8") with
    {
        StatusCode = StatusCodes.Status415UnsupportedMediaType,
    };

    private static readonly RegistryError TooLarge = RegistryError.InvalidRequest("the form is larger than 64 KiB") with
    {
        StatusCode = StatusCodes.Status413PayloadTooLarge,
    };

    public Task InvokeAsync(HttpContext context)
    {
        if (context.Request.Path.Value != Path)
        {
            return next(context);
        }

        // At the start of the answer, because an error clears whatever was prepared before it (RFC 6749, section 5.1).
        context.Response.OnStarting(static state =>
        {
            var headers = ((HttpContext)state).Response.Headers;
            headers.CacheControl = "no-store";
            headers.Pragma = "no-cache";
            return Task.CompletedTask;
        }, context);
        return AnswerAsync(context);
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var gateway = GatewayContext.Of(context);
        var (request, error) = await ReadAsync(context, gateway.Host.Authority);
        if (request is null)
        {
            await context.WriteErrorAsync(error!);
            return;
        }

        request = request with { Credentials = request.Credentials.Or(gateway.Certificate) };
        var result = await signIn.JudgeAsync(
            gateway,
            request.Credentials,
            (tokens, gateway),
            static (credentials, state, cancellationToken) => state.tokens.AuthenticateAsync(
                credentials, state.gateway.Host, state.gateway.ClientAddress, cancellationToken),
            context.RequestAborted);
        if (result is not AuthenticationResult.Accepted(var principal))
        {
            await RefuseSignInAsync(context, request.Credentials, result);
            return;
        }

        gateway.Principal = principal;
        if (!await limits.AdmitAsync(context, policies.Current, RequestClasses.Token, permits: 1)
            || !await audit.TryAdmitAsync(context))
        {
            return;
        }

        request = WithoutUnwantedRefreshToken(request, context, gateway);
        TokenAnswer answer;
        try
        {
            answer = await tokens.AnswerAsync(
                request, principal, gateway.Host, gateway.ClientAddress, context.RequestAborted);
        }
        catch (AccessTokenException exception)
        {
            await context.WriteErrorAsync(RegistryError.InvalidRequest(exception.Message));
            return;
        }
        catch (StateException)
        {
            context.Response.Headers.RetryAfter = RetryAfter.SecondsOfOutage;
            await context.WriteErrorAsync(AuthenticationMiddleware.NotPossibleNow);
            return;
        }

        if (principal.Subject.IsAnonymous && IsBrowserWithoutCredentials(context.Request)
            && (answer.Granted.IsEmpty || MustAsk(gateway, request.Asked, answer.Granted)))
        {
            await RefuseAsync(context, "authentication required");
            return;
        }

        gateway.Grant = new TokenGrant(request.Asked, answer.Granted, answer.RefreshToken is not null);
        var body = answer.Serialize();
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    private static async Task RefuseSignInAsync(
        HttpContext context, PresentedCredentials credentials, AuthenticationResult result)
    {
        if (result is AuthenticationResult.Undecided)
        {
            context.Response.Headers.RetryAfter = RetryAfter.SecondsOfOutage;
            await context.WriteErrorAsync(AuthenticationMiddleware.NotPossibleNow);
            return;
        }

        if (result is AuthenticationResult.Throttled throttled)
        {
            await AuthenticationMiddleware.WriteThrottledAsync(context, throttled);
            return;
        }

        var why = AuthenticationMiddleware.Describe(credentials, (result as AuthenticationResult.Refused)?.Message);
        await RefuseAsync(context, "authentication failed: " + why);
    }

    private static TokenRequest WithoutUnwantedRefreshToken(
        TokenRequest request, HttpContext context, GatewayContext gateway)
    {
        if (gateway.Page != PageStanding.Trusted
            && BrowserRequest.FindFault(context.Request, gateway.Host.Origin) is not null)
        {
            // A page elsewhere can make a browser send cached credentials here, but not read the answer (CORS). It must
            // not be able to make the person's refresh tokens pile up, and the oldest be revoked for it. That holds for
            // allowed pages too, unless they may use those credentials: a GET is sent without a preflight.
            request = request with { Offline = false };
        }

        if (request.Credentials.Kind == PresentedCredentialsKind.Certificate)
        {
            // Its client shows it again each time, so nothing is needed that would outlive its revocation.
            request = request with { Offline = false };
        }

        return request;
    }

    private static async Task<(TokenRequest? Request, RegistryError? Error)> ReadAsync(
        HttpContext context, string service)
    {
        var http = context.Request;
        var authorization = http.Headers.Authorization;
        if (authorization.Count > 1)
        {
            return (null, AuthenticationMiddleware.RepeatedHeader);
        }

        switch (http.Method)
        {
            case "GET":
                return TokenRequestParser.ReadQuery(
                    http.QueryString.Value, PresentedCredentials.Read(authorization), service);
            case "POST" when authorization.Count > 0:
                // Two places for credentials are two identities. RFC 6749, section 2.3.1, reads this header as the
                // client's own, not the user's, and no registry client sends it with a form.
                return (null,
                    RegistryError.InvalidRequest("send the credentials in the form, without an Authorization header"));
            case "POST" when http.QueryString.HasValue:
                // A parameter in both places would be read differently by others, and a secret there is logged by
                // proxies.
                return (null, RegistryError.InvalidRequest("send the parameters in the form, not in the query"));
            case "POST":
                return IsForm(http.Headers.ContentType) ? await ReadFormAsync(http, service) : (null, WrongType);
            default:
                return (null, MethodNotAllowed);
        }
    }

    private static async Task<(TokenRequest? Request, RegistryError? Error)> ReadFormAsync(
        HttpRequest http, string service)
    {
        // The limit is the form's own and is counted below. Kestrel counts the lines between chunks as well, and past
        // its limit it hangs up, so that the client sees a reset instead of the answer.
        if (http.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = LargestTransfer;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(LargestForm + 1);
        var length = 0;
        try
        {
            int read;
            while ((read = await http.Body.ReadAsync(
                buffer.AsMemory(length, LargestForm + 1 - length), http.HttpContext.RequestAborted)) > 0)
            {
                length += read;
                if (length > LargestForm)
                {
                    return (null, TooLarge);
                }
            }

            return TokenRequestParser.ReadForm(buffer.AsSpan(0, length), service);
        }
        catch (BadHttpRequestException exception) when (exception.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return (null, TooLarge);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(buffer.AsSpan(0, length)); // it held a password
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // One type, whose only parameter may say UTF-8. Anything else could be read as another form than this one.
    private static bool IsForm(StringValues types)
    {
        if (types.Count != 1)
        {
            return false;
        }

        var text = types[0].AsSpan();
        var semicolon = text.IndexOf(';');
        var type = (semicolon < 0 ? text : text[..semicolon]).Trim(' ');
        var parameter = semicolon < 0 ? default : text[(semicolon + 1)..].Trim(' ');
        return type.Equals(FormType, StringComparison.OrdinalIgnoreCase)
            && (parameter.IsEmpty
                || parameter.Equals("charset=utf-8", StringComparison.OrdinalIgnoreCase)
                || parameter.Equals("charset=\"utf-8\"", StringComparison.OrdinalIgnoreCase));
    }

    // A UI in a browser has no user name to send until the browser asks for one, which only this answer makes it do.
    // For everyone else a token without any access is the right one: "podman login" and pulls of public images need it.
    private static bool IsBrowserWithoutCredentials(HttpRequest http) =>
        http.Headers.Origin.Count > 0 && http.Headers.Authorization.Count == 0 && http.Method == "GET";

    // Where anonymous callers may do anything, a UI that leaves the sign-in to the browser would be given a nobody's
    // token for everything, and its visitors could never sign in. So it is asked where signing in may give more: for
    // less than it wants, and for the catalog, which shows a person more than an anonymous caller. Only pages of
    // origins that the operator names, and lets use the browser's password: elsewhere a prompt would be of no use, and
    // a page of the web must not be able to open one.
    private static bool MustAsk(GatewayContext gateway, AccessScope asked, AccessScope granted) =>
        gateway is { Page: PageStanding.Trusted, IsPageNamed: true } && (asked.Catalog || !granted.Covers(asked));

    private static Task RefuseAsync(HttpContext context, string message)
    {
        Challenge.SetForPassword(context);
        return context.WriteErrorAsync(RegistryError.Unauthorized(message) with { OAuthCode = "invalid_grant" });
    }
}
