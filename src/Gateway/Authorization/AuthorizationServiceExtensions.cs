using Gateway.Configuration;
using Gateway.Core.Authorization;
using Gateway.Policies;
using Gateway.Reloading;

namespace Gateway.Authorization;

/// <summary>All that the host knows of authorization.</summary>
internal static class AuthorizationServiceExtensions
{
    /// <summary>Registers the policies of a folder, read anew when they change.</summary>
    public static IServiceCollection AddGatewayAuthorization(this IServiceCollection services, GatewayOptions options)
    {
        services.AddSingleton(provider => new Reloadable<PolicySet>(
            "policies",
            () => [options.Policies],
            () => LoadPolicies(options),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<Reloadable<PolicySet>>>()));
        services.AddSingleton<IReloadable>(static provider => provider.GetRequiredService<Reloadable<PolicySet>>());
        services.AddSingleton<TagGuard>();
        return services;
    }

    /// <summary>Reads the policies; a rule for a registry that is not configured is a problem.</summary>
    /// <exception cref="ProblemException">They are wrong, or fail their own tests where those are asked for.</exception>
    internal static PolicySet LoadPolicies(GatewayOptions options)
    {
        var policies = PolicyFolder.Load(
            options.Policies, [.. options.Registries.Select(static registry => registry.Name)]);
        return options.TestPolicies && PolicyTests.Run(policies, options.Policies) is { Failures: { Count: > 0 } failures }
            ? throw new ProblemException([.. failures])
            : policies;
    }
}
