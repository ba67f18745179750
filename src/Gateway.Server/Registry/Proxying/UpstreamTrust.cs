using System.Security.Cryptography.X509Certificates;
using Gateway.Foundation.Certificates;
using Gateway.Foundation.Configuration;
using Gateway.Server.Requests.Routing;

namespace Gateway.Server.Registry.Proxying;

/// <summary>
/// Trust in upstreams' certificates: the system's authorities, or exactly those of the configured file.
/// </summary>
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
                _roots[registry.Name] = TrustRoots.Load(
                    registry.CertificateAuthority!, $"registries[{registry.Name}].certificateAuthority");
            }
            catch (ProblemException exception)
            {
                problems.AddRange(exception.Problems);
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
        if (_roots.TryGetValue(registry, out var roots))
        {
            handler.SslOptions.CertificateChainPolicy = TrustRoots.Policy(roots);
        }
    }
}
