using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Gateway.Foundation.Certificates;

namespace Gateway.Server.SignIn.Ldap;

/// <summary>
/// Finds out why a server cannot be used, since libldap says "unavailable" of every cause: tries the same again,
/// step by step. Only ever for the log.
/// </summary>
internal static class LdapDiagnosis
{
    // ExtendedRequest with the name 1.3.6.1.4.1.1466.20037 (RFC 4511, section 4.14), as the first message.
    private static readonly byte[] StartTls =
    [
        0x30, 0x1d, 0x02, 0x01, 0x01, 0x77, 0x18, 0x80, 0x16, .. "1.3.6.1.4.1.1466.20037"u8,
    ];

    /// <summary>The cause and the fix.</summary>
    public static async Task<LdapCause> FindCauseAsync(Uri url, LdapOptions options, LdapTrust trust)
    {
        var isTls = url.Scheme == "ldaps";
        using var limit = new CancellationTokenSource(options.Timeout);
        using var socket = new TcpClient();
        try
        {
            await socket.ConnectAsync(url.Host, url.Port > 0 ? url.Port : isTls ? 636 : 389, limit.Token);
        }
        catch (SocketException exception)
        {
            return new LdapCause(
                $"It cannot be reached ({exception.SocketErrorCode}): check that it runs, and that its name and port "
                    + "are right.");
        }
        catch (OperationCanceledException)
        {
            return new LdapCause("It cannot be reached in time: check that no firewall drops the connection.");
        }

        try
        {
            if (!isTls && options.StartTls)
            {
                var stream = socket.GetStream();
                await stream.WriteAsync(StartTls, limit.Token);
                var answer = new byte[64];
                var length = await stream.ReadAsync(answer, limit.Token);
                if (length < 10 || answer.AsSpan(0, length).IndexOf((byte)0x78) < 0 || answer[9] != 0)
                {
                    return new LdapCause(
                        "It does not accept StartTLS: give it a certificate, or use ldaps://. Nothing is sent without "
                            + "TLS.",
                        IsTls: true);
                }
            }

            return isTls || options.StartTls
                ? await FindFaultOfTlsAsync(socket, url.Host, trust, limit.Token)
                : new LdapCause("It accepts connections but does not answer: see its own log.");
        }
        catch (OperationCanceledException)
        {
            return new LdapCause("It accepts connections but does not answer: check whether it hangs.");
        }
        catch (IOException exception)
        {
            return new LdapCause(
                $"It closes the connection ({exception.Message.TrimEnd('.')}): check that the port speaks "
                    + $"{url.Scheme}.");
        }
    }

    private static async Task<LdapCause> FindFaultOfTlsAsync(
        TcpClient socket, string host, LdapTrust trust, CancellationToken cancellationToken)
    {
        string? fault = null;
        await using var tls = new SslStream(socket.GetStream());
        try
        {
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = host,
                    RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
                    {
                        fault = Describe(certificate as X509Certificate2, chain, errors, host, trust);
                        return fault is null;
                    },
                },
                cancellationToken);
            return new LdapCause("TLS works: see the directory's own log.");
        }
        catch (AuthenticationException exception)
        {
            return new LdapCause(
                fault ?? $"TLS fails ({exception.Message.TrimEnd('.')}): check that the port speaks TLS.", IsTls: true);
        }
    }

    private static string? Describe(
        X509Certificate2? certificate, X509Chain? received, SslPolicyErrors errors, string host, LdapTrust trust)
    {
        if (certificate is null)
        {
            return "It presents no certificate.";
        }

        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
        {
            return $"Its certificate ({certificate.Subject}) is not for the name {host}: use a name that it contains, "
                + "or have one issued for this name.";
        }

        using var chain = new X509Chain
        {
            ChainPolicy = TrustRoots.Policy(trust.Authorities, received?.ChainPolicy.ExtraStore),
        };
        return chain.Build(certificate) ? null
            : chain.ChainStatus.Any(static status => status.Status.HasFlag(X509ChainStatusFlags.NotTimeValid))
                ? $"Its certificate is not valid now (valid until {certificate.NotAfter:u}): "
                    + "renew it, or correct the clock."
                : $"Its certificate was issued by {certificate.Issuer}, which is not trusted: set certificateAuthority "
                    + "to that authority's PEM file.";
    }
}
