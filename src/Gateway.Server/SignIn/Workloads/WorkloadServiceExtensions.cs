using Gateway.Foundation.Configuration;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.SignIn.Issuers;

namespace Gateway.Server.SignIn.Workloads;

/// <summary>All that the host knows of jobs' identities.</summary>
internal static class WorkloadServiceExtensions
{
    /// <summary>Adds the verifier and every configured issuer.</summary>
    /// <exception cref="ProblemException">A file of authorities cannot be used.</exception>
    public static IServiceCollection AddWorkloads(this IServiceCollection services, AuthenticationOptions options)
    {
        foreach (var (name, issuer) in options.Workloads)
        {
            services.AddSingleton(provider => Create(provider, name, issuer));
            services.AddSingleton<ISubjectSource>(provider => Find(provider, name));
            services.AddSingleton(provider => Find(provider, name).Metadata);
            services.AddSingleton<IHealthPart>(provider => Find(provider, name).Metadata);
        }

        services.AddSingleton<IWorkloadCredentials, WorkloadVerifier>();
        return services;
    }

    private static WorkloadIssuer Find(IServiceProvider provider, string name) =>
        provider.GetServices<WorkloadIssuer>().First(issuer => issuer.Name == name);

    private static WorkloadIssuer Create(IServiceProvider provider, string name, WorkloadOptions options) => new(
        name,
        options,
        new IssuerMetadata(
            $"issuer:{name}",
            options,
            options.Keys,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<IssuerMetadata>>()));
}
