using Gateway.Audit;
using Gateway.Authentication;
using Gateway.Core.Authorization;
using Gateway.Issuers;
using Gateway.Oidc;
using Gateway.Pipeline;
using Gateway.Sessions;
using Gateway.State;
using Gateway.Tls;
using Gateway.Trust;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;

namespace Gateway.Portal;

/// <summary>Signing in and out in the browser, by the configured providers.</summary>
internal sealed partial class SignInPages(
    IEnumerable<OidcIdentities> providers,
    SignInMethods methods,
    SubjectStanding standing,
    BrowserSessions sessions,
    AuditAdmission audit,
    TlsOptions tls,
    ILogger<SignInPages> logger)
{
    private readonly Dictionary<string, OidcIdentities> _providers = providers.ToDictionary(static one => one.Provider.Name);

    /// <summary>The provider of a name, or <see langword="null"/>.</summary>
    public OidcIdentities? Find(string name) => _providers.GetValueOrDefault(name);

    /// <summary>The page with a button for each provider.</summary>
    public Task ShowAsync(HttpContext context)
    {
        var back = ReturnPath.Of(context.Request.Query["return"]);
        var host = GatewayContext.Of(context).Host.Authority;
        var buttons = Html.Join(_providers.Values.Select(one => Html.Of(
            $"""<p><a class="button" href="{$"{PortalPaths.SignIn}/{one.Provider.Name}?return={Uri.EscapeDataString(back)}"}">Sign in with {one.Provider.Title}</a></p>""")));
        return Page.WriteAsync(context, "Sign in", Html.Of($"<p>This is the container registry {host}.</p>{buttons}{TrustPage.LinkOf(tls)}"));
    }

    /// <summary>Sends the browser to a provider.</summary>
    public async Task BeginAsync(HttpContext context, OidcProvider provider)
    {
        try
        {
            await context.ChallengeAsync(
                provider.Method, new AuthenticationProperties { RedirectUri = ReturnPath.Of(context.Request.Query["return"]) });
        }
        catch (IssuerException exception)
        {
            Log.ProviderAway(logger, GatewayContext.Of(context).RequestId, provider.Method, exception.Message);
            await ShowFailureAsync(
                context, StatusCodes.Status503ServiceUnavailable,
                $"{provider.Title} cannot be asked from this registry at the moment: {exception.What}. Try again shortly, or tell its operator; tokens that you have go on working.");
        }
    }

    /// <summary>What the provider sent the browser back with. The framework's handler reads it, and calls what follows.</summary>
    public static async Task HandleCallbackAsync(HttpContext context, OidcProvider provider)
    {
        var handlers = context.RequestServices.GetRequiredService<IAuthenticationHandlerProvider>();
        var handler = (IAuthenticationRequestHandler)(await handlers.GetHandlerAsync(context, provider.Method))!;
        await handler.HandleRequestAsync();
    }

    /// <summary>The sign-in has come to its end: who is it, and is the name his?</summary>
    public async Task FinishAsync(TicketReceivedContext ticket)
    {
        ticket.HandleResponse(); // no cookie of the framework's
        var context = ticket.HttpContext;
        var gateway = GatewayContext.Of(context);
        var answer = context.Features.GetRequiredFeature<OidcAnswer>();
        var identities = _providers[((OidcHandlerOptions)ticket.Options).Provider.Name];
        var provider = identities.Provider;
        var subject = new Subject
        {
            Kind = SubjectKind.User,
            Name = answer.Person.Name,
            Method = provider.Method,
            Groups = answer.Person.Groups,
        };
        gateway.SignIn = new SignInAttempt(SignInForm.OpenId, subject.Name, SignInOutcome.Accepted, null);
        try
        {
            var principal = new Principal { Subject = subject };
            var confirmed = await methods.ConfirmNameAsync(new AuthenticationResult.Accepted(principal), context.RequestAborted);
            if (confirmed is AuthenticationResult.Accepted)
            {
                confirmed = standing.FindBlock(subject) ?? confirmed;
            }

            if (confirmed is AuthenticationResult.Refused refused)
            {
                throw new OidcException(refused.Message ?? "your name is another's here", refused.Reason);
            }

            if (confirmed is AuthenticationResult.Undecided undecided)
            {
                throw new StateException(undecided.Reason);
            }

            gateway.Principal = principal;
            if (!await audit.TryAdmitAsync(context))
            {
                return;
            }

            var identity = await identities.SignInAsync(answer.Person, answer.RefreshToken, context.RequestAborted);
            await sessions.BeginAsync(context, identity, answer.SessionId);
            Page.Redirect(context, ReturnPath.Of(ticket.ReturnUri));
        }
        catch (Exception exception) when (exception is OidcException or StateException)
        {
            await FailAsync(context, provider, exception);
        }
    }

    /// <summary>The sign-in came to nothing.</summary>
    public Task FailAsync(RemoteFailureContext failure)
    {
        failure.HandleResponse();
        return FailAsync(failure.HttpContext, ((OidcHandlerOptions)failure.Options).Provider, failure.Failure);
    }

    /// <summary>The page after it. Signing out itself takes a form of ours: a mere link, which any page may hold, must not.</summary>
    public static Task ShowSignedOutAsync(HttpContext context) => Page.WriteAsync(
        context, "Signed out", Html.Of($"""<p>You are signed out of this registry. Tokens that you made go on working.</p><p><a class="button" href="{PortalPaths.SignIn}">Sign in again</a></p>"""));

    /// <summary>Ends the session here, and leads on to the provider to end it there (OpenID Connect RP-Initiated Logout 1.0).</summary>
    public async Task SignOutAsync(HttpContext context, Subject subject)
    {
        await sessions.EndAsync(context);
        Page.Redirect(context, EndOf(context, subject) ?? PortalPaths.SignOut);
    }

    /// <summary>The origin that signing out leads to; <see langword="null"/>: our own.</summary>
    public string? SignOutOrigin(HttpContext context, Subject subject) =>
        EndOf(context, subject) is { } url ? new Uri(url).GetLeftPart(UriPartial.Authority) : null;

    private string? EndOf(HttpContext context, Subject subject)
    {
        var provider = _providers.Values.FirstOrDefault(one => one.Method == subject.Method)?.Provider;
        return provider is { Options.Logout: true }
            && OidcTokenClient.Endpoint(provider.Metadata.Known?.Configuration.EndSessionEndpoint) is { } url
                ? QueryHelpers.AddQueryString(url.ToString(), new Dictionary<string, string?>
                {
                    // Instead of an id_token_hint, which would have to be kept: it names the person.
                    ["client_id"] = provider.Options.ClientId,
                    ["post_logout_redirect_uri"] = GatewayContext.Of(context).Host.Origin + PortalPaths.SignOut,
                })
                : null;
    }

    private async Task FailAsync(HttpContext context, OidcProvider provider, Exception? failure)
    {
        var gateway = GatewayContext.Of(context);
        var cause = failure;
        while (cause is not (OidcException or IssuerException or StateException) && cause?.InnerException is { } inner)
        {
            cause = inner;
        }

        var (status, message, reason) = cause switch
        {
            OidcException refused => (StatusCodes.Status403Forbidden, $"You are not signed in: {refused.Message}.", refused.Reason),
            IssuerException away => (StatusCodes.Status503ServiceUnavailable,
                $"You are not signed in: {provider.Title} cannot be asked from this registry at the moment: {away.What}. Try again shortly, or tell its operator.", away.Message),
            StateException state => (StatusCodes.Status503ServiceUnavailable,
                "You are not signed in: this registry cannot keep that at the moment. Try again shortly.", state.Message),
            _ when context.Request.Query["error"] == "access_denied" => (StatusCodes.Status403Forbidden,
                $"You are not signed in: {provider.Title} did not let you in, or you said no there.", "the provider says access_denied"),
            _ => (StatusCodes.Status400BadRequest,
                "You are not signed in: this sign-in was not begun in this browser, or too long ago. Begin it again.",
                "the answer is not one of a sign-in that was begun here: " + PrintableName.Of(failure?.Message ?? "")),
        };
        gateway.SignIn = new SignInAttempt(
            SignInForm.OpenId, gateway.SignIn?.UserName,
            status == StatusCodes.Status503ServiceUnavailable ? SignInOutcome.Undecided : SignInOutcome.Refused,
            reason);
        Log.Failed(logger, gateway.RequestId, provider.Method, reason);
        context.Response.Clear();
        await ShowFailureAsync(context, status, message);
    }

    private static Task ShowFailureAsync(HttpContext context, int status, string message)
    {
        var request = GatewayContext.Of(context).RequestId;
        return Page.WriteAsync(
            context, "Sign-in",
            Html.Of($"""<p class="note">{message}</p><p><a class="button" href="{PortalPaths.SignIn}">Sign in</a></p><p>Request {request}</p>"""),
            status);
    }

    private static partial class Log
    {
        [LoggerMessage(1073, LogLevel.Warning, "Request {RequestId}: a sign-in by {Method} came to nothing: {Reason}")]
        public static partial void Failed(ILogger logger, string requestId, string method, string reason);

        [LoggerMessage(1074, LogLevel.Warning, "Request {RequestId}: a sign-in by {Method} could not begin: {Problem}")]
        public static partial void ProviderAway(ILogger logger, string requestId, string method, string problem);
    }
}
