using Gateway.Server.SignIn.Authentication;
using Gateway.Server.SignIn.Oidc;
using Gateway.Server.SignIn.Sessions;
using Gateway.Server.Store.Identities;
using Gateway.Server.Store.Keys;
using Gateway.Server.Store.State;
using Gateway.Server.Tokens.Devices;

namespace Gateway.Server.Portal.Pages;

/// <summary>All that the host knows of the pages for people, and of what they need.</summary>
internal static class PortalServiceExtensions
{
    /// <summary>Adds the pages where there is a provider to sign in with.</summary>
    public static IServiceCollection AddPortal(
        this IServiceCollection services, AuthenticationOptions authentication, StateOptions state,
        SigningKeyOptions keys)
    {
        if (authentication.Oidc.Count == 0)
        {
            return services;
        }

        services.AddIdentities(state);
        services.AddGatewayDataProtection(keys, state.Folder);
        services.AddAntiforgery(static antiforgery =>
        {
            antiforgery.Cookie.Name = "__Host-form";
            antiforgery.Cookie.SecurePolicy = CookieSecurePolicy.Always;
            antiforgery.Cookie.SameSite = SameSiteMode.Strict;
            antiforgery.Cookie.Path = "/";
            antiforgery.SuppressXFrameOptionsHeader = true; // the policy of every page sets it
        });
        services.AddOidc(authentication);
        services.AddSingleton<BrowserSessions>();
        services.AddSingleton<BackChannelLogout>();
        services.AddSingleton<SignInPages>();
        services.AddSingleton<AccountPages>();
        services.AddSingleton<DeviceSignIn>();
        services.AddSingleton<DeviceEndpoints>();
        return services;
    }

    /// <summary>Serves the pages.</summary>
    public static void UsePortal(this WebApplication app, AuthenticationOptions authentication)
    {
        if (authentication.Oidc.Count > 0)
        {
            // The builder puts the framework's own authentication before everything else where its services are there.
            // Here the pages ask for it, after the host was checked and the request was named.
            ((IApplicationBuilder)app).Properties["__AuthenticationMiddlewareSet"] = true;
            app.UseMiddleware<PortalMiddleware>();
        }
    }
}
