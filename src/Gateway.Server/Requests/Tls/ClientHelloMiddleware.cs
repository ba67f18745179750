using Gateway.Server.Requests.Reloading;
using Microsoft.AspNetCore.Connections;

namespace Gateway.Server.Requests.Tls;

/// <summary>
/// Looks whether a client can verify ECDSA before the handshake begins, where a name has both kinds of certificates.
/// </summary>
/// <remarks>
/// The runtime's SNI callback tells the name and versions only. Without such a name, which is the rule, nothing is
/// looked at. What is read here is left in the pipe for the handshake.
/// </remarks>
internal sealed class ClientHelloMiddleware(
    ConnectionDelegate next, Reloadable<CertificateSet> certificates, TimeSpan timeout, TimeProvider time)
{
    private static readonly object RsaOnly = new();

    /// <summary>What was seen of the connection; yes where nothing was looked at.</summary>
    public static bool VerifiesEcdsa(ConnectionContext connection) => !connection.Items.ContainsKey(RsaOnly);

    public Task OnConnectionAsync(ConnectionContext connection) =>
        certificates.Current.HasBothKinds ? LookAsync(connection) : next(connection);

    private async Task LookAsync(ConnectionContext connection)
    {
        using (var limit = new CancellationTokenSource(timeout, time))
        {
            try
            {
                if (!await VerifiesEcdsaAsync(connection, limit.Token))
                {
                    connection.Items[RsaOnly] = null;
                }
            }
            catch (OperationCanceledException)
            {
                connection.Abort(new ConnectionAbortedException("The client did not begin a TLS handshake in time."));
                return;
            }
            catch (IOException)
            {
                return; // the client hung up; no error of ours, and nothing that a client may fill the log with
            }
        }

        await next(connection);
    }

    private static async Task<bool> VerifiesEcdsaAsync(
        ConnectionContext connection, CancellationToken cancellationToken)
    {
        var input = connection.Transport.Input;
        while (true)
        {
            var result = await input.ReadAsync(cancellationToken);
            var verdict = ClientHello.VerifiesEcdsa(result.Buffer);
            if (verdict is not null || result.IsCompleted)
            {
                input.AdvanceTo(result.Buffer.Start); // examined nothing: the next read gets it at once
                return verdict ?? true;
            }

            input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }
}
