using Gateway.Foundation.Configuration;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.SignIn.Authentication;

namespace Gateway.Server.SignIn.Ldap;

/// <summary>All that the host knows of directories.</summary>
internal static class LdapServiceExtensions
{
    /// <summary>Adds a way to sign in for each configured directory.</summary>
    public static IServiceCollection AddLdap(this IServiceCollection services, AuthenticationOptions options)
    {
        if (options.Ldap.Count == 0)
        {
            return services;
        }

        foreach (var (name, directory) in options.Ldap)
        {
            services.AddSingleton(provider => Create(provider, name, directory, options));
            services.AddSingleton<ICredentialVerifier>(provider => Find(provider, name));
            services.AddSingleton<ISubjectSource>(provider => Find(provider, name));
            services.AddSingleton<IHealthPart>(provider => Find(provider, name));
        }

        services.AddHostedService<LdapWatch>();
        return services;
    }

    /// <summary>What a start would fail with.</summary>
    public static IEnumerable<Problem> Check(AuthenticationOptions options)
    {
        if (options.Ldap.Count > 0 && LdapLibrary.Check() is { } problem)
        {
            yield return problem;
        }
    }

    private static LdapVerifier Find(IServiceProvider provider, string name) =>
        provider.GetServices<LdapVerifier>().First(verifier => verifier.Method == "ldap:" + name);

    private static LdapVerifier Create(
        IServiceProvider provider, string name, LdapOptions options, AuthenticationOptions authentication)
    {
        LdapLibrary.Harden(options.Timeout);
        var time = provider.GetRequiredService<TimeProvider>();
        var logger = provider.GetRequiredService<ILogger<LdapServer>>();
        var trust = LdapTrust.Load(options.CertificateAuthority);
        var servers = options.Servers.Select(
            url => new LdapServer(url, options, trust, "ldap:" + name, time, logger)).ToList();
        return new LdapVerifier(name, options, authentication, new LdapDirectory(options, servers), time);
    }
}
