using Gateway.Core.Authorization;
using Gateway.Foundation.Text;
using Gateway.Server.Portal.Trust;
using Gateway.Server.Records.Audit;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Routing;
using Gateway.Server.Requests.Tls;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.SignIn.Issuers;
using Gateway.Server.SignIn.Oidc;
using Gateway.Server.SignIn.Sessions;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Gateway.Server.Portal.Pages;

/// <summary>Signing in and out in the browser, through the configured providers.</summary>
internal sealed partial class SignInPages(
    IEnumerable<OidcIdentities> providers,
    SignInMethods methods,
    SubjectStanding standing,
    BrowserSessions sessions,
    AuditAdmission audit,
    TlsOptions tls,
    ILogger<SignInPages> logger)
{
    private readonly Dictionary<string, OidcIdentities> _providers = providers.ToDictionary(
        static one => one.Provider.Name);

    /// <summary>The provider of a name, or <see langword="null"/>.</summary>
    public OidcIdentities? Find(string name) => _providers.GetValueOrDefault(name);

    /// <summary>The page with a button for each provider.</summary>
    public Task ShowAsync(HttpContext context)
    {
        var back = ReturnPath.Accept(context.Request.Query["return"]);
        var host = GatewayContext.Of(context).Host.Authority;
        var buttons = Html.Join(_providers.Values.Select(one => Html.Of(
            $"""<p><a class="button" href="{$"{PortalPaths.SignIn}/{one.Provider.Name}?return="
                + $"{Uri.EscapeDataString(back)}"}">Sign in with {one.Provider.Title}</a></p>""")));
        return Page.WriteAsync(
            context, "Sign in",
            Html.Of($"<p>This is the container registry {host}.</p>{buttons}{TrustPage.LinkOf(tls)}"));
    }

    /// <summary>Sends the browser to a provider.</summary>
    public async Task BeginAsync(HttpContext context, OidcProvider provider)
    {
        try
        {
            await context.ChallengeAsync(
                provider.Method,
                new AuthenticationProperties { RedirectUri = ReturnPath.Accept(context.Request.Query["return"]) });
        }
        catch (IssuerException exception)
        {
            await ShowNotStartedAsync(
                context, provider, exception.Message,
                $"{provider.Title} is unavailable to this registry at the moment: {exception.What}. Try again shortly, "
                + "or tell the registry's operator. Your tokens remain valid.");
        }
        catch (OidcException exception)
        {
            await ShowNotStartedAsync(
                context, provider, exception.Reason, $"The sign-in could not be started: {exception.Message}.");
        }
    }

    /// <summary>What the provider sent the browser back with. The framework's handler reads it.</summary>
    public async Task HandleCallbackAsync(HttpContext context, OidcIdentities identities)
    {
        var handlers = context.RequestServices.GetRequiredService<IAuthenticationHandlerProvider>();
        var handler = (IAuthenticationRequestHandler)(await handlers.GetHandlerAsync(context, identities.Method))!;
        await handler.HandleRequestAsync();
        var outcome = context.Features.Get<OidcOutcome>();
        await (outcome is OidcOutcome.SignedIn answer
            ? FinishAsync(context, identities, answer)
            : FailAsync(context, identities.Provider, (outcome as OidcOutcome.Failed)?.Failure));
    }

    // The provider has said who it is: may they come in, and is the name theirs?
    private async Task FinishAsync(HttpContext context, OidcIdentities identities, OidcOutcome.SignedIn answer)
    {
        var gateway = GatewayContext.Of(context);
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
            var confirmed = await methods.ConfirmNameAsync(
                new AuthenticationResult.Accepted(principal), context.RequestAborted);
            if (confirmed is AuthenticationResult.Accepted)
            {
                confirmed = standing.FindBlock(subject) ?? confirmed;
            }

            if (confirmed is AuthenticationResult.Refused refused)
            {
                throw new OidcException(refused.Message ?? "your name belongs to someone else here", refused.Reason);
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
            Page.Redirect(context, ReturnPath.Accept(answer.ReturnTo));
        }
        catch (Exception exception) when (exception is OidcException or StateException)
        {
            await FailAsync(context, provider, exception);
        }
    }

    /// <summary>
    /// The page after it. Signing out itself needs a form of ours: a mere link, which any page may hold, must not do
    /// it.
    /// </summary>
    public static Task ShowSignedOutAsync(HttpContext context) => Page.WriteAsync(
        context, "Signed out",
        Html.Of(
            $"""<p>You are signed out of this registry. Your tokens remain valid.</p><p><a class="button" href="{PortalPaths.SignIn}">Sign in again</a></p>"""));

    /// <summary>
    /// Ends the session here, and leads to the provider to end it there (OpenID Connect RP-Initiated Logout 1.0).
    /// </summary>
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
        var (status, message, reason) = failure switch
        {
            OidcException refused =>
                (StatusCodes.Status403Forbidden, $"You are not signed in: {refused.Message}.", refused.Reason),
            IssuerException unavailable => (StatusCodes.Status503ServiceUnavailable,
                $"You are not signed in: {provider.Title} is unavailable to this registry at the moment: "
                + $"{unavailable.What}. Try again shortly, or tell the registry's operator.", unavailable.Message),
            StateException state => (StatusCodes.Status503ServiceUnavailable,
                "You are not signed in: this registry cannot store the session at the "
                + "moment. Try again shortly.", state.Message),
            _ => (StatusCodes.Status400BadRequest,
                "You are not signed in: this sign-in was not started in this browser, or it was started too long ago. "
                    + "Start again.",
                "the answer does not belong to a sign-in that was started here: "
                    + PrintableName.Of(failure?.Message ?? "")),
        };
        gateway.SignIn = new SignInAttempt(
            SignInForm.OpenId, gateway.SignIn?.UserName,
            status == StatusCodes.Status503ServiceUnavailable ? SignInOutcome.Undecided : SignInOutcome.Refused,
            reason);
        Log.Failed(logger, gateway.RequestId, provider.Method, reason);
        context.Response.Clear();
        await ShowFailureAsync(context, status, message);
    }

    private Task ShowNotStartedAsync(HttpContext context, OidcProvider provider, string problem, string message)
    {
        Log.NotStarted(logger, GatewayContext.Of(context).RequestId, provider.Method, problem);
        context.Response.Headers.Remove(HeaderNames.SetCookie); // of a sign-in that did not start
        return ShowFailureAsync(context, StatusCodes.Status503ServiceUnavailable, message);
    }

    private static Task ShowFailureAsync(HttpContext context, int status, string message)
    {
        var request = GatewayContext.Of(context).RequestId;
        return Page.WriteAsync(
            context, "Sign-in failed",
            Html.Of(
                $"""<p class="note">{message}</p><p><a class="button" href="{PortalPaths.SignIn}">Sign in</a></p><p>Request {request}</p>"""),
            status);
    }

    private static partial class Log
    {
        [LoggerMessage(1073, LogLevel.Warning, "Request {RequestId}: a sign-in through {Method} failed: {Reason}")]
        public static partial void Failed(ILogger logger, string requestId, string method, string reason);

        [LoggerMessage(1074, LogLevel.Warning,
            "Request {RequestId}: a sign-in through {Method} could not be started: {Problem}")]
        public static partial void NotStarted(ILogger logger, string requestId, string method, string problem);
    }
}
