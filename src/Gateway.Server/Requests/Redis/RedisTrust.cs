using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gateway.Foundation.Certificates;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.Requests.Redis;

/// <summary>
/// Trust in the certificate of Redis: the system's authorities, or exactly those of the configured file.
/// </summary>
internal sealed class RedisTrust
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1"; // RFC 5280, section 4.2.1.12

    private readonly X509Certificate2Collection? _roots;

    private RedisTrust(X509Certificate2Collection? roots) => _roots = roots;

    /// <summary>Reads the file, where there is one.</summary>
    /// <exception cref="ProblemException">The file cannot be read or holds no certificate.</exception>
    public static RedisTrust Load(RedisOptions? options) => new(
        options?.CertificateAuthority is { } path ? TrustRoots.Load(path, "redis.certificateAuthority") : null);

    /// <summary>
    /// Whether a server's certificate is good: its name, its time, its use and its way to one of the authorities.
    /// </summary>
    public bool Validate(object sender, X509Certificate? certificate, X509Chain? received, SslPolicyErrors errors) =>
        _roots is null ? errors == SslPolicyErrors.None : LeadsToRoots(_roots, certificate, received, errors);

    private static bool LeadsToRoots(
        X509Certificate2Collection roots, X509Certificate? certificate, X509Chain? received, SslPolicyErrors errors)
    {
        // Only "no way to an authority of the system" is looked at again; a wrong name stays wrong.
        if (certificate is null || (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != 0)
        {
            return false;
        }

        using var chain = new X509Chain { ChainPolicy = TrustRoots.Policy(roots, received?.ChainPolicy.ExtraStore) };
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ServerAuthentication));
        using var copy = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        return chain.Build(copy);
    }
}
