using System.Security.Cryptography.X509Certificates;
using Gateway.Configuration;
using Gateway.Routing;

namespace Gateway.Proxying;

/// <summary>Trust in upstreams' certificates: the system's authorities, or exactly those of the configured file.</summary>
internal sealed class UpstreamTrust
{
    private readonly Dictionary<string, X509Certificate2Collection> _roots = [];

    /// <exception cref="ProblemException">A configured file cannot be read or holds no certificate.</exception>
    public UpstreamTrust(IEnumerable<RegistryOptions> registries)
    {
        var problems = new List<Problem>();
        foreach (var registry in registries.Where(static r => r.CertificateAuthority is not null))
        {
            try
            {
                var roots = new X509Certificate2Collection();
                roots.ImportFromPemFile(registry.CertificateAuthority!);
                _roots[registry.Name] = roots;
                if (roots.Count == 0)
                {
                    problems.Add(new Problem(
                        registry.CertificateAuthority!, "the file holds no certificate", null,
                        "Put the authority's certificate there in PEM form (-----BEGIN CERTIFICATE-----)."));
                }
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException
                or System.Security.Cryptography.CryptographicException)
            {
                problems.Add(new Problem(
                    registry.CertificateAuthority!, $"the authorities of registry {registry.Name} cannot be read", exception.Message,
                    "Name an existing PEM file in registries[].certificateAuthority."));
            }
        }

        if (problems.Count > 0)
        {
            throw new ProblemException(problems);
        }
    }

    /// <summary>Prepares the connections to one registry's upstreams.</summary>
    public void Configure(string registry, SocketsHttpHandler handler)
    {
        handler.ConnectTimeout = TimeSpan.FromSeconds(10);
        if (!_roots.TryGetValue(registry, out var roots))
        {
            return;
        }

        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck, // a private authority seldom publishes a list
            DisableCertificateDownloads = true, // no fetching from addresses that a certificate names
        };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(roots);
    }
}
