using Gateway.Foundation.Configuration;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.SignIn.Issuers;
using Gateway.Server.Store.Identities;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using AuthenticationOptions = Gateway.Server.SignIn.Authentication.AuthenticationOptions;

namespace Gateway.Server.SignIn.Oidc;

/// <summary>All that the host knows of providers that people sign in with.</summary>
internal static class OidcServiceExtensions
{
    /// <summary>Adds every configured provider.</summary>
    /// <exception cref="ProblemException">A file of authorities cannot be used.</exception>
    public static IServiceCollection AddOidc(this IServiceCollection services, AuthenticationOptions options)
    {
        if (options.Oidc.Count == 0)
        {
            return services;
        }

        var authentication = services.AddAuthentication();
        foreach (var (name, provider) in options.Oidc)
        {
            services.AddSingleton(services => CreateIdentities(services, name, provider));
            services.AddSingleton<ISubjectSource>(services => Find(services, name));
            services.AddSingleton(services => Find(services, name).Provider.Metadata);
            services.AddSingleton<IHealthPart>(services => Find(services, name).Provider.Metadata);
            authentication.AddOpenIdConnect(OidcProvider.MethodOf(name), static _ => { });
            services.AddOptions<OpenIdConnectOptions>(OidcProvider.MethodOf(name))
                .Configure<IServiceProvider>((handler, services) =>
                    Configure(handler, Find(services, name).Provider, services));
        }

        return services;
    }

    private static OidcIdentities Find(IServiceProvider services, string name) =>
        services.GetServices<OidcIdentities>().First(one => one.Provider.Name == name);

    private static OidcIdentities CreateIdentities(IServiceProvider services, string name, OidcOptions options)
    {
        var time = services.GetRequiredService<TimeProvider>();
        var metadata = new IssuerMetadata(
            OidcProvider.MethodOf(name), options, keysFile: null, time,
            services.GetRequiredService<ILogger<IssuerMetadata>>());
        return new OidcIdentities(
            new OidcProvider(name, options, metadata, services.GetRequiredService<IdTokenVerifier>()),
            services.GetRequiredService<IIdentityStore>(),
            services.GetRequiredService<IDataProtectionProvider>(),
            time,
            services.GetRequiredService<ILogger<OidcIdentities>>());
    }

    private static void Configure(OpenIdConnectOptions handler, OidcProvider provider, IServiceProvider services)
    {
        var options = provider.Options;
        handler.ClientId = options.ClientId;
        handler.ClientSecret = options.ClientSecret;
        handler.ConfigurationManager = provider.Metadata;
        handler.RefreshOnIssuerKeyNotFound = false; // the verifier looks for keys itself
        handler.CallbackPath = OidcProvider.CallbackOf(provider.Name);
        handler.DisableTelemetry = true;
        handler.ResponseType = OpenIdConnectResponseType.Code;

        // Not form_post: another site's POST brings only cookies that are SameSite=None, so neither could the sign-in
        // be bound to the browser by a Lax cookie, nor the session be ended that was there before. The code in the
        // address is good once, and by PKCE and the client's secret for this gateway alone.
        handler.ResponseMode = OpenIdConnectResponseMode.Query;
        handler.UsePkce = true;
        handler.PushedAuthorizationBehavior = PushedAuthorizationBehavior.UseIfAvailable;
        handler.ProtocolValidator.RequireNonce = false; // it would be a cookie; see OidcEvents
        handler.Scope.Clear();
        foreach (var scope in options.Scopes)
        {
            handler.Scope.Add(scope);
        }

        foreach (var (name, value) in options.Parameters.Where(static parameter => parameter.Value.Length > 0))
        {
            handler.AdditionalAuthorizationParameters[name] = value;
        }

        // OpenID Connect Core, section 11: without it the provider must not give a refresh token.
        var asksForConsent = options.Scopes.Contains("offline_access") && !options.Parameters.ContainsKey("prompt");
        handler.Prompt = asksForConsent ? "consent" : null;

        // Lax: the provider sends the browser back with a GET. Strict, it would not be sent along.
        // __Host-: a neighbour under the same domain cannot set one (RFC 6265bis, section 4.1.3.2), and with it put a
        // sign-in of their own into another's browser.
        handler.CorrelationCookie.Name = "__Host-sign-in-";
        handler.CorrelationCookie.Path = "/";
        handler.CorrelationCookie.SameSite = SameSiteMode.Lax;
        handler.CorrelationCookie.SecurePolicy = CookieSecurePolicy.Always;
        handler.RemoteAuthenticationTimeout = TimeSpan.FromMinutes(15);
        handler.Events = new OidcEvents(
            provider, services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILogger<OidcEvents>>());
    }
}
