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
            () => PolicyFolder.Paths(options.Policies),
            replaced => Replace(replaced, LoadPolicies(options), options),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<Reloadable<PolicySet>>>()));
        services.AddSingleton<IReloadable>(static provider => provider.GetRequiredService<Reloadable<PolicySet>>());
        services.AddSingleton<TagGuard>();
        return services;
    }

    // A start with an empty folder is one where nobody may do anything yet. One that had rules and has no file any more is
    // an unmounted volume, or a copy that is about to begin.
    private static PolicySet Replace(Replacement<PolicySet> replaced, PolicySet policies, GatewayOptions options) =>
        replaced.InForce is { RuleCount: > 0 } && policies.RuleCount == 0 && PolicyFolder.Paths(options.Policies).Count == 0
            ? throw new ProblemException(new Problem(
                options.Policies,
                "there is no policy file any more",
                null,
                "Put the files back; where nobody is to do anything, write a file with \"rules: []\"."))
            : policies;

    /// <summary>Reads the policies; a rule for a registry that is not configured is a problem.</summary>
    /// <exception cref="ProblemException">They are wrong, or fail their own tests where those are asked for.</exception>
    internal static PolicySet LoadPolicies(GatewayOptions options)
    {
        var policies = PolicyFolder.Load(
            options.Policies, [.. options.Registries.Select(static registry => registry.Name)], options.RequireDocumentEnd);
        return options.TestPolicies && PolicyTests.Run(policies, options.Policies, options.RequireDocumentEnd) is { Failures: { Count: > 0 } failures }
            ? throw new ProblemException([.. failures])
            : policies;
    }
}
