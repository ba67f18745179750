using Gateway.Authentication;
using Gateway.Hosting;
using Gateway.Identities;
using Gateway.Issuers;
using Gateway.Portal;
using Microsoft.AspNetCore.DataProtection;
using AuthenticationOptions = Gateway.Authentication.AuthenticationOptions;

namespace Gateway.Oidc;

/// <summary>All that the host knows of providers that people sign in by.</summary>
internal static class OidcServiceExtensions
{
    /// <summary>Adds every configured provider.</summary>
    /// <exception cref="Configuration.ProblemException">A file of authorities cannot be used.</exception>
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
            authentication.AddOAuth<OidcHandlerOptions, OidcHandler>(OidcProvider.MethodOf(name), static _ => { });
            services.AddOptions<OidcHandlerOptions>(OidcProvider.MethodOf(name))
                .Configure<IServiceProvider>((handler, services) => Configure(handler, Find(services, name).Provider));
        }

        return services;
    }

    private static OidcIdentities Find(IServiceProvider services, string name) =>
        services.GetServices<OidcIdentities>().First(one => one.Provider.Name == name);

    private static OidcIdentities CreateIdentities(IServiceProvider services, string name, OidcOptions options)
    {
        var time = services.GetRequiredService<TimeProvider>();
        var metadata = new IssuerMetadata(
            OidcProvider.MethodOf(name), options, keysFile: null, time, services.GetRequiredService<ILogger<IssuerMetadata>>());
        return new OidcIdentities(
            new OidcProvider(name, options, metadata, services.GetRequiredService<IdTokenVerifier>()),
            services.GetRequiredService<IIdentityStore>(),
            services.GetRequiredService<IDataProtectionProvider>(),
            time,
            services.GetRequiredService<ILogger<OidcIdentities>>());
    }

    private static void Configure(OidcHandlerOptions handler, OidcProvider provider)
    {
        handler.Provider = provider;
        handler.ClientId = provider.Options.ClientId;
        handler.ClientSecret = provider.Options.ClientSecret!;
        handler.CallbackPath = OidcProvider.CallbackOf(provider.Name);
        handler.UsePkce = true;
        handler.Scope.Clear();
        foreach (var scope in provider.Options.Scopes)
        {
            handler.Scope.Add(scope);
        }

        // Asked for by the framework, and used by nobody: the document names both, and it is fetched when it is needed.
        handler.AuthorizationEndpoint = handler.TokenEndpoint = provider.Options.Issuer;

        // Lax: the provider sends the browser back with a GET. Strict, it would not be sent along.
        // __Host-: a neighbour under the same domain cannot set one (RFC 6265bis, section 4.1.3.2), and with it put his own
        // sign-in into another's browser.
        handler.CorrelationCookie.Name = "__Host-sign-in-";
        handler.CorrelationCookie.Path = "/";
        handler.CorrelationCookie.SameSite = SameSiteMode.Lax;
        handler.CorrelationCookie.SecurePolicy = CookieSecurePolicy.Always;
        handler.RemoteAuthenticationTimeout = TimeSpan.FromMinutes(15);
        handler.Events.OnTicketReceived = static context =>
            context.HttpContext.RequestServices.GetRequiredService<SignInPages>().FinishAsync(context);
        handler.Events.OnRemoteFailure = static context =>
            context.HttpContext.RequestServices.GetRequiredService<SignInPages>().FailAsync(context);
    }
}
