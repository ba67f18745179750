using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Gateway.Client.Doctor;

/// <summary>
/// Performs a TLS handshake with a server, whatever certificate it presents, to see that certificate.
/// </summary>
internal static class TlsProbe
{
    /// <summary>Connects and performs the handshake.</summary>
    /// <param name="endPoint">Where.</param>
    /// <param name="host">The name to send (SNI).</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>What it presented; <see cref="TlsAnswer.Fault"/> if the handshake failed.</returns>
    /// <exception cref="SocketException">There is no connection.</exception>
    public static async Task<TlsAnswer> ShakeHandsAsync(
        IPEndPoint endPoint, string host, CancellationToken cancellationToken)
    {
        using var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(endPoint, cancellationToken);
        return await ShakeHandsAsync(new NetworkStream(socket), host, cancellationToken);
    }

    /// <summary>
    /// What a server sent: its certificate first, then the others in their order; empty if it sent none.
    /// </summary>
    public static List<X509Certificate2> ChainOf(X509Certificate? certificate, X509Chain? built)
    {
        if (certificate is null)
        {
            return [];
        }

        var leaf = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        return
        [
            leaf,
            .. built?.ChainPolicy.ExtraStore.Where(one => !one.RawData.AsSpan().SequenceEqual(leaf.RawData))
                .Select(static one => X509CertificateLoader.LoadCertificate(one.RawData)) ?? [],
        ];
    }

    /// <summary>Performs the handshake over a connection.</summary>
    public static async Task<TlsAnswer> ShakeHandsAsync(Stream stream, string host, CancellationToken cancellationToken)
    {
        List<X509Certificate2> chain = [];
        var asksForCertificate = false;
        await using var tls = new SslStream(stream);
        try
        {
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = host,
                    ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
                    LocalCertificateSelectionCallback = (_, _, _, remote, _) =>
                    {
                        asksForCertificate |= remote is not null; // it is called once before, with none
                        return null!;
                    },
#pragma warning disable CA5359 // it is judged afterwards; nothing but the handshake goes over this connection
                    RemoteCertificateValidationCallback = (_, certificate, built, _) =>
                    {
                        chain = ChainOf(certificate, built);
                        return true;
                    },
#pragma warning restore CA5359
                },
                cancellationToken);
            var fault = chain.Count > 0 ? null : "the server presents no certificate";
            return new TlsAnswer(chain, tls.SslProtocol, asksForCertificate, fault);
        }
        catch (Exception exception)
            when (exception is AuthenticationException or IOException or CryptographicException
                or System.ComponentModel.Win32Exception)
        {
            return new TlsAnswer(chain, SslProtocols.None, asksForCertificate, DoctorText.Of(exception));
        }
    }
}

/// <summary>What a TLS server presented.</summary>
/// <param name="Chain">Its certificate and those sent with it, in their order.</param>
/// <param name="Protocol">The version agreed on.</param>
/// <param name="AsksForCertificate">Whether it asked for a client's certificate.</param>
/// <param name="Fault">Why the handshake failed; <see langword="null"/> if it did not.</param>
internal sealed record TlsAnswer(
    IReadOnlyList<X509Certificate2> Chain, SslProtocols Protocol, bool AsksForCertificate, string? Fault);
