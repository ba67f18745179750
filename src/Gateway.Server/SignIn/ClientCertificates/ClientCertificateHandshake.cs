using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Gateway.Server.Requests.Tls;
using Microsoft.AspNetCore.Connections;

namespace Gateway.Server.SignIn.ClientCertificates;

/// <summary>Asks the client for a certificate in the handshake and keeps what it presents for its requests.</summary>
/// <remarks>
/// The handshake fails neither for a bad certificate nor for none: the client would only report a broken
/// connection, or an alert by its number. The answer to the request says what is wrong.
/// </remarks>
internal static class ClientCertificateHandshake
{
    /// <summary>The options of a handshake that asks for a certificate.</summary>
    /// <param name="options">Those of one that does not; shared, so they are not changed.</param>
    /// <param name="connection">The connection, which is given a <see cref="PresentedCertificate"/>.</param>
    public static SslServerAuthenticationOptions Ask(
        SslServerAuthenticationOptions options, BaseConnectionContext connection) => new()
        {
            ServerCertificateContext = options.ServerCertificateContext,
            EnabledSslProtocols = options.EnabledSslProtocols,
            ApplicationProtocols = options.ApplicationProtocols,
            AllowRenegotiation = options.AllowRenegotiation,
            ClientCertificateRequired = true, // asked for; whether one comes is checked later

            // A resumed session has the client's certificate, but not the intermediates sent with it.
            AllowTlsResume = false,

            // The runtime looks for a chain before it asks us. Without this it would fetch what is missing from
            // whatever addresses a stranger's certificate names.
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                DisableCertificateDownloads = true,
                RevocationMode = X509RevocationMode.NoCheck,
            },
#pragma warning disable CA5359 // The certificate is a client's, and ClientCertificateVerifier judges it.
            RemoteCertificateValidationCallback = (_, certificate, chain, _) =>
            {
                if (certificate is not null)
                {
                    connection.Features.Set(new PresentedCertificate(certificate, chain?.ChainPolicy.ExtraStore ?? []));
                }

                return true;
            },
#pragma warning restore CA5359
        };
}
