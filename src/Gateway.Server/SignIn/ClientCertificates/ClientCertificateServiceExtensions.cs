using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Reloading;
using Gateway.Server.SignIn.Authentication;

namespace Gateway.Server.SignIn.ClientCertificates;

/// <summary>What the host knows of client certificates.</summary>
internal static class ClientCertificateServiceExtensions
{
    /// <summary>
    /// Adds <see cref="ClientCertificateVerifier"/>, which knows no certificate where none are configured.
    /// </summary>
    public static IServiceCollection AddClientCertificates(
        this IServiceCollection services, AuthenticationOptions options)
    {
        services.AddSingleton<ClientCertificateVerifier>();
        services.AddSingleton(static provider => CreateTrust(
            provider.GetRequiredService<AuthenticationOptions>().ClientCertificates,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<Reloadable<ClientCertificateTrust>>>()));
        if (options.ClientCertificates is not { } certificates)
        {
            return services;
        }

        services.AddSingleton<IReloadable>(
            static provider => provider.GetRequiredService<Reloadable<ClientCertificateTrust>>());
        services.AddHostedService<ClientCertificateWatch>();
        foreach (var method in MethodsOf(certificates))
        {
            services.AddSingleton<ISubjectSource>(provider => new CertificateSubjectSource(
                method, provider.GetRequiredService<Reloadable<ClientCertificateTrust>>()));
        }

        if (certificates.RevocationLists.Count > 0)
        {
            services.AddSingleton<IHealthPart, RevocationListHealth>();
        }

        return services;
    }

    private static IEnumerable<string> MethodsOf(ClientCertificateOptions options) =>
        options.SpiffeTrustDomains.Select(CertificateSubjectReader.MethodOf).Prepend(CertificateSubjectReader.Method);

    private static Reloadable<ClientCertificateTrust> CreateTrust(
        ClientCertificateOptions? options, TimeProvider time, ILogger<Reloadable<ClientCertificateTrust>> logger) =>
            new(
        "clientCertificates",
        () => options is null ? [] : [options.CertificateAuthorities, .. options.RevocationLists],
        replaced => ClientCertificateTrustReader.Load(options, replaced.InForce),
        time,
        logger);
}
