using System.Security.Claims;
using System.Security.Cryptography;
using Gateway.Core.Authorization;
using Gateway.Core.RateLimiting;
using Gateway.Core.Registry;
using Gateway.Core.Tokens;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Routing;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.SignIn.Oidc;
using Gateway.Server.SignIn.Sessions;
using Gateway.Server.Tokens.Devices;
using Microsoft.AspNetCore.Antiforgery;

namespace Gateway.Server.Portal.Pages;

/// <summary>The pages for people, server-rendered, where a provider is configured.</summary>
internal sealed partial class PortalMiddleware(
    RequestDelegate next,
    SignInPages signIn,
    AccountPages account,
    DeviceEndpoints devices,
    BackChannelLogout backChannel,
    BrowserSessions sessions,
    SignInGate gate,
    IAntiforgery antiforgery,
    ILogger<PortalMiddleware> logger)
{
    private const int LargestForm = 16 * 1024;

    public Task InvokeAsync(HttpContext context)
    {
        // By the path itself: routing ignores case and a final slash, and this does not.
        var path = context.Request.Path.Value ?? "";
        if (path is DeviceAuthorization.CodePath or DeviceAuthorization.TokenPath)
        {
            return devices.HandleAsync(context);
        }

        var parts = path.StartsWith(PortalPaths.SignIn + "/", StringComparison.Ordinal) ? path.Split('/')[2..] : [];
        return parts switch
        {
            [var name] when signIn.Find(name) is { } one =>
                GuardedAsync(context, "GET", () => signIn.BeginAsync(context, one.Provider)),
            [var name, "callback"] when signIn.Find(name) is { } one =>
                GuardedAsync(context, "GET", () => signIn.HandleCallbackAsync(context, one)),
            [var name, "logout"] when signIn.Find(name) is { } one => backChannel.HandleAsync(context, one),
            [] => path switch
            {
                PortalPaths.SignIn => GuardedAsync(context, "GET", () => signIn.ShowAsync(context)),
                PortalPaths.SignOut when !HttpMethods.IsPost(context.Request.Method) =>
                    GuardedAsync(context, "GET", () => SignInPages.ShowSignedOutAsync(context)),
                PortalPaths.SignOut => PostedAsync(context, (subject, _) => signIn.SignOutAsync(context, subject)),
                PortalPaths.Account => SignedInAsync(context, "GET", subject => account.ShowAsync(context, subject)),
                PortalPaths.Account + "/tokens" =>
                    PostedAsync(context, (subject, form) => account.CreateAsync(context, subject, form)),
                PortalPaths.Account + "/revoke" =>
                    PostedAsync(context, (subject, form) => account.RevokeAsync(context, subject, form)),
                PortalPaths.Device when HttpMethods.IsPost(context.Request.Method) =>
                    PostedAsync(context, (subject, form) => account.ApproveDeviceAsync(context, subject, form)),
                PortalPaths.Device =>
                    SignedInAsync(context, "GET", subject => account.ShowDeviceAsync(context, subject)),
                _ => next(context),
            },
            _ => next(context),
        };
    }

    // What changes something: a form of ours, sent from our own page.
    private Task PostedAsync(HttpContext context, Func<Subject, IFormCollection, Task> serve) =>
        SignedInAsync(context, "POST", async subject =>
        {
            if (BrowserRequest.FindFault(context.Request, GatewayContext.Of(context).Host.Origin) is { } fault)
            {
                await context.WriteErrorAsync(RegistryError.Denied(fault));
                return;
            }

            if (!context.Request.HasFormContentType || context.Request.ContentLength is null or > LargestForm
                || !await antiforgery.IsRequestValidAsync(context))
            {
                await Page.WriteAsync(
                    context, "Submit again", Html.Of(
                        $"""<p class="note">This form has expired, or did not come from this registry. Nothing was changed.</p><p><a class="button" href="{PortalPaths.Account}">Your account</a></p>"""),
                    StatusCodes.Status400BadRequest);
                return;
            }

            await serve(subject, await context.Request.ReadFormAsync(context.RequestAborted));
        });

    private Task SignedInAsync(HttpContext context, string method, Func<Subject, Task> serve) =>
        GuardedAsync(context, method, async () =>
        {
            var gateway = GatewayContext.Of(context);
            var shown = context.Request.Cookies[BrowserSessions.CookieName] is { Length: > 0 and < 128 } cookie
                ? PresentedCredentials.Read("Bearer " + cookie)
                : default;
            var result = await gate.JudgeAsync(
                gateway, shown, (sessions, context), static (_, state, _) => state.sessions.FindAsync(state.context),
                context.RequestAborted);
            switch (result)
            {
                case AuthenticationResult.Accepted(var principal):
                    gateway.Principal = principal;

                    // The framework's antiforgery token is bound to it.
                    context.User = new ClaimsPrincipal(new ClaimsIdentity(
                        [new Claim(ClaimTypes.NameIdentifier, principal.CredentialId!)], "session",
                        ClaimTypes.NameIdentifier, null));
                    await serve(principal.Subject);
                    break;
                case AuthenticationResult.Undecided:
                    await WriteUnavailableAsync(context);
                    break;
                default:
                    // Also for a form that comes too late: its input is lost, and nothing is done unasked.
                    Page.Redirect(context, $"{PortalPaths.SignIn}?return={Uri.EscapeDataString(
                        ReturnPath.Accept(context.Request.Path.Value + context.Request.QueryString.Value))}");
                    break;
            }
        });

    private async Task GuardedAsync(HttpContext context, string method, Func<Task> serve)
    {
        if (context.Request.Method != method && !(method == "GET" && HttpMethods.IsHead(context.Request.Method)))
        {
            await context.WriteErrorAsync(RegistryError.MethodNotAllowed(
                $"this page must be requested with {method}", method));
            return;
        }

        try
        {
            await serve();
        }
        catch (Exception exception)
            when (exception is StateException or CryptographicException or AntiforgeryValidationException)
        {
            Log.Failed(logger, GatewayContext.Of(context).RequestId, exception.Message);
            await WriteUnavailableAsync(context);
        }
    }

    private static Task WriteUnavailableAsync(HttpContext context)
    {
        context.Response.Headers.RetryAfter = RetryAfter.SecondsOfOutage;
        return Page.WriteAsync(
            context, "Try again shortly", Html.Of(
                $"""<p class="note">This is not possible at the moment: this registry's store or your provider is unavailable. Your tokens remain valid.</p>"""),
            StatusCodes.Status503ServiceUnavailable);
    }

    private static partial class Log
    {
        [LoggerMessage(1081, LogLevel.Error, "Request {RequestId} for a page failed: {Problem}")]
        public static partial void Failed(ILogger logger, string requestId, string problem);
    }
}
