using Gateway.Core.Authorization;
using Gateway.Reloading;

namespace Gateway.Authorization;

/// <summary>All that the host knows of authorization.</summary>
internal static class AuthorizationServiceExtensions
{
    /// <summary>Registers the policies of a folder, read anew when they change.</summary>
    public static IServiceCollection AddGatewayAuthorization(this IServiceCollection services, string folder)
    {
        services.AddSingleton(provider => new Reloadable<PolicySet>(
            "policies",
            () => [folder],
            () => PolicyFolder.Load(folder),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<Reloadable<PolicySet>>>()));
        services.AddSingleton<IReloadable>(static provider => provider.GetRequiredService<Reloadable<PolicySet>>());
        services.AddSingleton<TagGuard>();
        return services;
    }
}
