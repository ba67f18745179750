using Gateway.Foundation.Text;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.SignIn.Issuers;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OAuth;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace Gateway.Server.SignIn.Oidc;

/// <summary>
/// What is added to the framework's <see cref="OpenIdConnectHandler"/>. It has the code flow: state, correlation
/// cookie, PKCE (S256), the request and the reading of the answer. Added are the public hosts, the nonce's binding to
/// the state, the check of <c>iss</c> (RFC 9207), pushed requests that may fail, a bound on cookies; and the code and
/// the ID token go through the provider's own client and verifier here, as they do for a refresh.
/// </summary>
/// <remarks>Only the events of a challenge throw: its caller has a page for it.</remarks>
internal sealed partial class OidcEvents(OidcProvider provider, TimeProvider time, ILogger<OidcEvents> logger)
    : OpenIdConnectEvents
{
    /// <summary>How many started sign-ins a browser keeps; each is a cookie of some 60 bytes.</summary>
    public const int MostBegun = 8;

    // Anyone can start a sign-in, and each push asks the provider.
    private const int MostPushesAtOnce = 32;

    private const string NonceItem = ".nonce";

    private static readonly TimeSpan PushAgainAfter = TimeSpan.FromSeconds(30);

    private int _pushes;
    private volatile bool _hasPushFailed;
    private long _pushFailedAt;

    /// <inheritdoc/>
    public override Task RedirectToIdentityProvider(RedirectContext context)
    {
        var message = context.ProtocolMessage;
        message.IssuerAddress = OidcTokenClient.Endpoint(message.IssuerAddress)?.ToString()
            ?? throw Unsafe("authorization_endpoint");
        if (provider.Metadata.Known is { Configuration: { RequirePushedAuthorizationRequests: true } configuration }
            && OidcTokenClient.Endpoint(configuration.PushedAuthorizationRequestEndpoint) is null)
        {
            throw Unsafe("pushed_authorization_request_endpoint"); // the handler would send it by the browser then
        }

        message.RedirectUri = GatewayContext.Of(context.HttpContext).Host.Origin + context.Options.CallbackPath;

        // In the state, which is encrypted and bound to this browser by the correlation cookie. The handler's own way
        // is a second cookie, which accepts the nonce of any sign-in that was started in the browser.
        message.Nonce = context.Options.ProtocolValidator.GenerateNonce();
        context.Properties.Items[NonceItem] = message.Nonce;
        ForgetOldest(context.HttpContext, context.Options.CorrelationCookie);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override async Task PushAuthorization(PushedAuthorizationContext context)
    {
        // Where it is only offered, a failed push must not be the end of the sign-in: a provider may name the
        // endpoint and refuse it to this client.
        var cancellationToken = context.HttpContext.RequestAborted;
        var document = await provider.Metadata.GetAsync(cancellationToken);
        var isRequired = document.Configuration.RequirePushedAuthorizationRequests;
        if (!isRequired && _hasPushFailed && time.GetElapsedTime(Volatile.Read(ref _pushFailedAt)) < PushAgainAfter)
        {
            context.SkipPush();
            return;
        }

        try
        {
            context.HandlePush(await PushAsync(context.ProtocolMessage, cancellationToken));
        }
        catch (Exception exception) when (!isRequired && exception is OidcException or IssuerException)
        {
            Volatile.Write(ref _pushFailedAt, time.GetTimestamp());
            _hasPushFailed = true;
            Log.NotPushed(logger, provider.Method, (exception as OidcException)?.Reason ?? exception.Message);
            context.SkipPush();
        }
    }

    /// <inheritdoc/>
    public override async Task MessageReceived(MessageReceivedContext context)
    {
        var metadata = provider.Metadata;
        bool isPromised;
        try
        {
            var document = await metadata.GetAsync(context.HttpContext.RequestAborted);
            isPromised = document.Configuration.AuthorizationResponseIssParameterSupported;
        }
        catch (IssuerException exception)
        {
            context.Fail(exception);
            return;
        }

        // RFC 6749, section 3.1: each once. The handler takes the last.
        var query = context.Request.Query;
        var issuer = query["iss"];
        if (query.FirstOrDefault(static parameter => parameter.Value.Count > 1) is { Key: { } repeated })
        {
            context.Fail(new OidcException(
                "the provider's answer repeats a parameter; start again",
                $"the parameter \"{PrintableName.Of(repeated)}\" is in the answer more than once"));
        }
        else if (issuer.Count > 0 ? issuer[0] != metadata.Issuer : isPromised)
        {
            // RFC 9207, section 2.4: the answer of another provider, mixed into a sign-in by this one.
            context.Fail(new OidcException(
                "the answer came from a provider other than the one this sign-in was started with; start again",
                $"iss in the answer is \"{PrintableName.Of(issuer.ToString())}\", where \"{metadata.Issuer}\" "
                + "is expected"));
        }
    }

    /// <inheritdoc/>
    public override async Task AuthorizationCodeReceived(AuthorizationCodeReceivedContext context)
    {
        var cancellationToken = context.HttpContext.RequestAborted;
        var (properties, request) = (context.Properties!, context.TokenEndpointRequest!);
        try
        {
            var nonce = properties.Items.TryGetValue(NonceItem, out var kept) && kept is not null ? kept
                : throw new OidcException(
                    "this sign-in is unknown or has expired; start again", "the state holds no nonce");
            var verifier = request.GetParameter(OAuthConstants.CodeVerifierKey);
            var tokens = await provider.Client.RedeemAsync(
                request.Code, request.RedirectUri, verifier, cancellationToken);
            var found = await provider.IdentifyAsync(tokens, nonce, subject: null, cancellationToken);
            var (person, sessionId) = found!.Value;
            context.HttpContext.Features.Set<OidcOutcome>(
                new OidcOutcome.SignedIn(person, sessionId, tokens.RefreshToken, properties.RedirectUri));
            context.HandleResponse(); // the pages start the session, and the framework sets no cookie
        }
        catch (Exception exception) when (exception is OidcException or IssuerException)
        {
            context.Fail(exception);
        }
    }

    /// <inheritdoc/>
    public override Task AccessDenied(AccessDeniedContext context) => FailAsync(context, new OidcException(
        $"{provider.Title} refused the sign-in, or you cancelled it there", "the provider says access_denied"));

    /// <inheritdoc/>
    public override Task RemoteFailure(RemoteFailureContext context) => FailAsync(context, context.Failure switch
    {
        OpenIdConnectProtocolException { Data: var data } when data["error"] is string error => new OidcException(
            $"{provider.Title} ended this sign-in with the error \"{PrintableName.Of(error)}\"; start again, "
            + "or tell the registry's operator",
            $"the provider says {PrintableName.Of(error)} "
            + $"({PrintableName.Of(data["error_description"] as string ?? "")})",
            isGateways: true),
        var failure => failure,
    });

    private static Task FailAsync(HandleRequestContext<RemoteAuthenticationOptions> context, Exception? failure)
    {
        context.HttpContext.Features.Set<OidcOutcome>(new OidcOutcome.Failed(failure));
        context.HandleResponse();
        return Task.CompletedTask;
    }

    // In the order of the header, where the oldest come first (RFC 6265, section 5.4).
    private static void ForgetOldest(HttpContext context, CookieBuilder cookie)
    {
        var begun = context.Request.Cookies.Keys
            .Where(name => name.StartsWith(cookie.Name!, StringComparison.Ordinal)).ToList();
        foreach (var name in begun.Take(begun.Count + 1 - MostBegun))
        {
            context.Response.Cookies.Delete(name, cookie.Build(context));
        }
    }

    private IssuerException Unsafe(string endpoint) =>
        new($"{provider.Metadata.Issuer} names no safe {endpoint}", "Check that it is an OpenID provider.");

    private async Task<string> PushAsync(OpenIdConnectMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return Interlocked.Increment(ref _pushes) <= MostPushesAtOnce
                ? await provider.Client.PushAsync(request.Parameters, cancellationToken)
                : throw new IssuerException("too many sign-ins start at once",
                    "Find out in the log where they come from.");
        }
        finally
        {
            Interlocked.Decrement(ref _pushes);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1078, LogLevel.Warning,
            "{Method}: a sign-in request could not be pushed to the provider (pushed_authorization_request_endpoint), "
            + "so the browser carries it: {Problem}")]
        public static partial void NotPushed(ILogger logger, string method, string problem);
    }
}
