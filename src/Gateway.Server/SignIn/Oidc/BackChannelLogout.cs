using System.Text.Json;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Core.Tokens;
using Gateway.Server.Records.Audit;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.SignIn.Issuers;
using Gateway.Server.SignIn.Sessions;
using Gateway.Server.Store.Identities;

namespace Gateway.Server.SignIn.Oidc;

/// <summary>
/// <c>POST /sign-in/NAME/logout</c>: the provider says that a person, or one of their sessions there, is signed out
/// (OpenID Connect Back-Channel Logout 1.0). It ends the sessions here, but not tokens, which are meant to outlive
/// sessions.
/// </summary>
internal sealed partial class BackChannelLogout(
    IIdentityStore identities,
    BrowserSessions sessions,
    IdTokenVerifier verifier,
    AuditAdmission audit,
    ILogger<BackChannelLogout> logger)
{
    private const string Event = "http://schemas.openid.net/event/backchannel-logout";
    private const int LargestForm = 32 * 1024;

    /// <summary>Answers one.</summary>
    public async Task HandleAsync(HttpContext context, OidcIdentities people)
    {
        context.Response.Headers.CacheControl = "no-store";
        if (!HttpMethods.IsPost(context.Request.Method))
        {
            await context.WriteErrorAsync(RegistryError.MethodNotAllowed(
                "a provider must send its logout token with POST", "POST"));
            return;
        }

        if (!context.Request.HasFormContentType || context.Request.ContentLength is null or > LargestForm
            || await ReadTokenAsync(context) is not { } text)
        {
            await context.WriteErrorAsync(RegistryError.InvalidRequest("send a form with logout_token"));
            return;
        }

        // Section 2.4: typed "logout+jwt", or not at all by older providers; what makes it one is the event.
        var type = string.Equals(JwtParts.Read(text, out _)?.Type, "logout+jwt", StringComparison.OrdinalIgnoreCase)
            ? "logout+jwt"
            : null;
        var provider = people.Provider;
        switch (await verifier.VerifyAsync(
            text, provider.Metadata, provider.Options.ClientId, type, context.RequestAborted, needsSubject: false))
        {
            case IdTokenResult.Good good when FindFault(good.Token) is { } fault:
                await RefuseAsync(context, provider, fault);
                break;
            case IdTokenResult.Good good:
                if (await audit.TryAdmitAsync(context))
                {
                    await EndAsync(context, people, good.Token);
                }

                break;
            case IdTokenResult.Bad bad:
                await RefuseAsync(context, provider, bad.Reason);
                break;
            default:
                context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                break;
        }
    }

    private static async Task<string?> ReadTokenAsync(HttpContext context)
    {
        try
        {
            return (await context.Request.ReadFormAsync(
                context.RequestAborted))["logout_token"] is [{ Length: > 0 } text] ? text : null;
        }
        catch (InvalidDataException)
        {
            return null; // too many fields, or too long ones
        }
    }

    // Section 2.6. An ID token, which the person's browser sees, must not be good for this.
    private static string? FindFault(IdToken token) =>
        token.Claims.TryGetProperty("nonce", out _) ? "it has a nonce, so it is not a logout token"
        : !token.Claims.TryGetProperty("events", out var events) || events.ValueKind != JsonValueKind.Object
            || !events.TryGetProperty(Event, out var one) || one.ValueKind != JsonValueKind.Object
                ? "it has no logout event"
        : token.Subject.Length == 0 && token.Text("sid") is null ? "it names neither sub nor sid"
        : null;

    private async Task EndAsync(HttpContext context, OidcIdentities people, IdToken token)
    {
        try
        {
            var sid = token.Text("sid");
            var count = 0;
            foreach (var identity in await identities.ListAsync(context.RequestAborted))
            {
                if (identity.Method == people.Method
                    && (token.Subject.Length == 0 || identity.ProviderSubject == token.Subject))
                {
                    var owner = new Subject { Kind = SubjectKind.User, Name = identity.Name, Method = identity.Method };
                    count += await sessions.EndAllAsync(owner, sid, context.RequestAborted);
                }
            }

            Log.Ended(logger, people.Method, count);
        }
        catch (StateException exception)
        {
            Log.Failed(logger, people.Method, exception.Message);
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable; // the provider may try again
        }
    }

    private Task RefuseAsync(HttpContext context, OidcProvider provider, string reason)
    {
        Log.Refused(logger, provider.Method, reason);
        return context.WriteErrorAsync(RegistryError.InvalidRequest("the logout token is not accepted: " + reason));
    }

    private static partial class Log
    {
        [LoggerMessage(1075, LogLevel.Information, "{Method} signed a person out; {Count} sessions ended here.")]
        public static partial void Ended(ILogger logger, string method, int count);

        [LoggerMessage(1076, LogLevel.Warning, "{Method}: a logout token was refused: {Reason}")]
        public static partial void Refused(ILogger logger, string method, string reason);

        [LoggerMessage(1077, LogLevel.Error,
            "{Method} signed a person out, but their sessions here could not be revoked: {Problem}")]
        public static partial void Failed(ILogger logger, string method, string problem);
    }
}
