using Gateway.Core.Authorization;
using Gateway.Core.RateLimiting;
using Gateway.Core.Registry;
using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>
/// Second step of a registry request: who is asking? Anonymous callers pass; refused credentials do not.
/// </summary>
internal sealed class AuthenticationMiddleware(RequestDelegate next, SignInGate signIn, Challenge challenge)
{
    /// <summary>Which of two credentials counts is a guess, and another component may guess differently.</summary>
    public static readonly RegistryError RepeatedHeader =
        RegistryError.BadRequest("the Authorization header is repeated; send it once");

    /// <summary>Not a 401: clients would throw away a good stored password.</summary>
    public static readonly RegistryError NotPossibleNow = RegistryError.Unavailable(
        StatusCodes.Status503ServiceUnavailable, "sign-in is not possible at the moment; try again shortly");

    public async Task InvokeAsync(HttpContext context)
    {
        var gateway = GatewayContext.Of(context);
        var header = context.Request.Headers.Authorization;
        if (header.Count > 1)
        {
            await context.WriteErrorAsync(RepeatedHeader);
            return;
        }

        // A ping is asked for credentials also on a connection with a certificate: a client that is never asked sends
        // no password, and "login" would accept any. Without one, the token endpoint gives a token for the certificate.
        if (header.Count == 0 && challenge.AlwaysAsks
            && (gateway.Certificate is null || gateway.Request.Operation == RegistryOperation.Ping))
        {
            gateway.Principal = Principal.Anonymous;
            challenge.Set(context);
            await context.WriteErrorAsync(RegistryError.Unauthorized("authentication required"));
            return;
        }

        var credentials = PresentedCredentials.Read(header).Or(gateway.Certificate);
        if (FindForgery(context, gateway, credentials) is { } forgery)
        {
            gateway.Principal = Principal.Anonymous;
            await context.WriteErrorAsync(RegistryError.Denied(forgery));
            return;
        }

        switch (await signIn.AuthenticateAsync(gateway, credentials, context.RequestAborted))
        {
            case AuthenticationResult.Accepted(var principal):
                gateway.Principal = principal;
                await next(context);
                break;
            case AuthenticationResult.Undecided:
                context.Response.Headers.RetryAfter = RetryAfter.SecondsOfOutage;
                await context.WriteErrorAsync(NotPossibleNow);
                break;
            case AuthenticationResult.Throttled throttled:
                await WriteThrottledAsync(context, throttled);
                break;
            case var refused:
                gateway.Principal = Principal.Anonymous;
                await RefuseAsync(context, credentials, (refused as AuthenticationResult.Refused)?.Message);
                break;
        }
    }

    /// <summary>
    /// Answers a caller after too many failed sign-ins. No challenge: nothing was found wrong with these credentials.
    /// </summary>
    public static Task WriteThrottledAsync(HttpContext context, AuthenticationResult.Throttled throttled)
    {
        var seconds = RetryAfter.WholeSeconds(throttled.RetryAfter);
        return context.WriteErrorAsync(RegistryError.TooManyRequests(
            $"too many failed sign-ins from this address or for this user; try again in {seconds} s. "
            + "The password was not checked, so this says nothing about it",
            throttled.RetryAfter));
    }

    /// <summary>Says what is wrong with a caller's credentials, as far as the caller may know.</summary>
    /// <param name="credentials">What was presented.</param>
    /// <param name="message">See <see cref="AuthenticationResult.Refused"/>.</param>
    public static string Describe(PresentedCredentials credentials, string? message) =>
        (credentials.Kind, message) switch
        {
            (_, not null) when credentials.Form == SignInForm.Password => $"the sign-in is not accepted: {message}",
            (PresentedCredentialsKind.Certificate, not null) => $"the client certificate is not accepted: {message}",
            (PresentedCredentialsKind.None, not null) => message,
            (_, not null) => $"the token is not accepted: {message}",
            (PresentedCredentialsKind.Unreadable, _) => $"the credentials cannot be read: {credentials.Fault.Message}",
            (PresentedCredentialsKind.Bearer, _) => $"the token is not valid here{Hint(credentials, "")}",
            _ => $"the user name or password is wrong{Hint(credentials, "; run \"docker login\" again")}",
        };

    private static string Hint(PresentedCredentials credentials, string otherwise) =>
        CredentialHint.For(credentials) is { } hint ? "; " + hint : otherwise;

    // A page elsewhere may POST without asking first (Fetch standard, "CORS-safelisted method"), and the browser adds
    // the password that it stores for /token, or presents the person's certificate: the page could start uploads and
    // mount blobs in the person's name. Other methods that change something are preflighted, and no browser adds a
    // Bearer token on its own.
    private static string? FindForgery(HttpContext context, GatewayContext gateway, PresentedCredentials credentials) =>
        credentials.Kind is PresentedCredentialsKind.Password or PresentedCredentialsKind.Certificate
        && context.Request.Method == HttpMethods.Post
        && gateway.Page != PageStanding.Trusted
            ? BrowserRequest.FindFault(context.Request, gateway.Host.Origin)
            : null;

    // A refused password is not a refused token, so the challenge names no error (RFC 6750, section 3.1): a client that
    // only sent its password unasked goes on to the token endpoint, which says what is wrong with it. With an error
    // containerd would count the attempt as a failed token and give up before it ever asked for one.
    private Task RefuseAsync(HttpContext context, PresentedCredentials credentials, string? message)
    {
        var why = Describe(credentials, message);
        challenge.Set(
            context,
            credentials.Kind == PresentedCredentialsKind.Bearer ? ChallengeError.InvalidToken : ChallengeError.None,
            why);
        return context.WriteErrorAsync(RegistryError.Unauthorized("authentication failed: " + why));
    }
}
