using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Gateway.Server.SignIn.Ldap;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.SignIn.Ldap;

/// <summary>The operator is told why a directory cannot be used, for each way in which it may fail.</summary>
public sealed class LdapDiagnosisTests
{
    private const string NoEntries = $"""
        dn: uid=dora,ou=people,{LdapServerProcess.Base}
        objectClass: inetOrgPerson
        uid: dora
        cn: Dora
        sn: Example

        """;

    [Fact]
    public async Task Port_WhereNothingListens_IsNotReached() => Assert.Contains(
        "cannot be reached (ConnectionRefused)", await CauseAsync("ldaps", FreePort.Next()), StringComparison.Ordinal);

    [Theory]
    [InlineData("ldaps", "TLS")]
    [InlineData("ldap", "StartTLS")]
    public async Task Port_OfAnotherService_IsNamed(string scheme, string word)
    {
        using var other = Answer("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        Assert.Contains(word, await CauseAsync(scheme, PortOf(other)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Port_ThatSaysNothing_IsFoundToHangWithinTheTimeout()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        Assert.Contains(
            "does not answer", await CauseAsync("ldaps", PortOf(silent), TimeSpan.FromSeconds(1)),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Server_WithoutTls_DoesNotTakeStartTls()
    {
        await using var server = await LdapServerProcess.StartAsync(NoEntries, hasTls: false);
        Assert.Contains("does not accept StartTLS", await CauseAsync("ldap", server.Port), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Server_ThatIsWell_IsNotBlamed()
    {
        await using var server = await LdapServerProcess.StartAsync(NoEntries);
        using var trust = LdapTrust.Load(server.AuthorityFile);
        foreach (var (scheme, port) in new[] { ("ldaps", server.TlsPort), ("ldap", server.Port) })
        {
            Assert.Contains("TLS works", await CauseAsync(scheme, port, trust: trust), StringComparison.Ordinal);
        }
    }

    private static async Task<string> CauseAsync(
        string scheme, int port, TimeSpan? timeout = null, LdapTrust? trust = null)
    {
        using var none = LdapTrust.Load(null);
        var cause = await LdapDiagnosis.FindCauseAsync(
            new Uri(string.Create(CultureInfo.InvariantCulture, $"{scheme}://127.0.0.1:{port}")),
            new LdapOptions { Timeout = timeout ?? TimeSpan.FromSeconds(10) },
            trust ?? none);
        return cause.Text;
    }

    // Answers each connection with a text, and closes it.
    private static TcpListener Answer(string text)
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        _ = Task.Run(async () =>
        {
            try
            {
                while (true)
                {
                    using var client = await listener.AcceptTcpClientAsync();
                    await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(text));
                    client.Client.Shutdown(SocketShutdown.Send);
                    await client.GetStream().CopyToAsync(Stream.Null);
                }
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException or IOException)
            {
                // The test is over.
            }
        });
        return listener;
    }

    private static int PortOf(TcpListener listener) => ((IPEndPoint)listener.LocalEndpoint).Port;
}
