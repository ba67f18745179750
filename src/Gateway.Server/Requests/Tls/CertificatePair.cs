using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Gateway.Server.Requests.Tls;

/// <summary>A certificate with its key and intermediates, ready to be served.</summary>
internal sealed class CertificatePair
{
    private static readonly List<SslApplicationProtocol> Protocols =
        [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11];

    /// <param name="certificate">The certificate, with its private key.</param>
    /// <param name="intermediates">The other certificates of its file.</param>
    /// <param name="isEcdsa">Whether the key is ECDSA, else it is RSA.</param>
    /// <param name="served">What is told of it.</param>
    public CertificatePair(
        X509Certificate2 certificate, X509Certificate2Collection intermediates, bool isEcdsa, ServedCertificate served)
    {
        IsEcdsa = isEcdsa;
        Served = served;
        Options = new SslServerAuthenticationOptions
        {
            // offline: a handshake or reload must not wait for an issuer's web server (missing intermediates, OCSP).
            ServerCertificateContext = SslStreamCertificateContext.Create(certificate, intermediates, offline: true),
#pragma warning disable CA5398 // TLS 1.2 and 1.3 are the promise, whatever a system's configuration allows besides.
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
#pragma warning restore CA5398
            ApplicationProtocols = Protocols,
            AllowRenegotiation = false,
            ClientCertificateRequired = false,

            // Tickets are bound to the certificates (the runtime keeps one OpenSSL context for each leaf with its
            // intermediates), so that a renewed pair is never resumed past. Nothing else is decided in a handshake.
            AllowTlsResume = true,
        };
    }

    /// <summary>What a handshake needs. Shared by all handshakes: never changed after construction.</summary>
    public SslServerAuthenticationOptions Options { get; }

    public bool IsEcdsa { get; }

    public ServedCertificate Served { get; }
}
