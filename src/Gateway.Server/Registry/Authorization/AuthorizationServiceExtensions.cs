using Gateway.Core.Authorization;
using Gateway.Foundation.Configuration;
using Gateway.Server.Requests.Reloading;

namespace Gateway.Server.Registry.Authorization;

/// <summary>All that the host knows of authorization.</summary>
internal static class AuthorizationServiceExtensions
{
    /// <summary>Registers the policies of a folder, read anew when they change.</summary>
    public static IServiceCollection AddGatewayAuthorization(this IServiceCollection services, PolicySource source)
    {
        services.AddSingleton(provider => new Reloadable<PolicySet>(
            "policies",
            () => source.Files,
            replaced => Replace(replaced, source.Load(), source),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<Reloadable<PolicySet>>>()));
        services.AddSingleton<IReloadable>(static provider => provider.GetRequiredService<Reloadable<PolicySet>>());
        services.AddSingleton<TagGuard>();
        return services;
    }

    // A start with an empty folder is one where nobody may do anything yet. One that had rules and has no file any more
    // is an unmounted volume, or a copy that is about to begin.
    private static PolicySet Replace(Replacement<PolicySet> replaced, PolicySet policies, PolicySource source) =>
        replaced.InForce is { RuleCount: > 0 } && policies.RuleCount == 0 && source.Files.Count == 0
            ? throw new ProblemException(new Problem(
                source.Folder,
                "the folder no longer has a policy file",
                null,
                "Restore the files; to deny everything, write a file with \"rules: []\"."))
            : policies;
}
