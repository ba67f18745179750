using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Gateway.Server.Requests.Tls;

namespace Gateway.Tests.Server.Requests.Tls;

public sealed class TlsReloadTests : IDisposable
{
    private static readonly TimeSpan Promise = TimeSpan.FromSeconds(2);
    private readonly TestAuthority _root = TestAuthority.CreateRoot();
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("overwrite")]
    [InlineData("rename")]
    [InlineData("symlink")]
    public async Task Reload_PairRenewedUnderLoad_IsServedWithinTwoSecondsAndNoRequestFails(string how)
    {
        var pair = _root.Issue(["localhost"]);
        await RenewAsync(how, 0, pair);
        var options = new CertificateOptions { Certificate = _folder["tls.crt"], Key = _folder["tls.key"] };
        await using var server = await TlsServer.StartAsync(options);
        using var stop = new CancellationTokenSource();
        var load = new[]
        {
            Task.Run(() => RequestOnOneConnectionAsync(server, stop.Token)),
            Task.Run(() => RequestAsync(server, HttpVersion.Version20, TimeSpan.FromMinutes(5), stop.Token)),
            Task.Run(() => RequestAsync(server, HttpVersion.Version20, TimeSpan.Zero, stop.Token)),
            Task.Run(() => RequestAsync(server, HttpVersion.Version11, TimeSpan.Zero, stop.Token)),
        };

        for (var i = 1; i <= 6; i++)
        {
            pair = _root.Issue(["localhost"]);
            await RenewAsync(how, i, pair);
            var clock = Stopwatch.StartNew();
            while ((await server.ConnectAsync("localhost")).Thumbprint != pair.Certificate.Thumbprint)
            {
                Assert.True(clock.Elapsed < Promise, $"The renewed pair was not served within {Promise}.");
            }
        }

        await stop.CancelAsync();
        foreach (var requests in await Task.WhenAll(load)) // throws where a request failed
        {
            Assert.True(requests > 6, $"only {requests} requests were made");
        }
    }

    [Fact]
    public async Task Reload_CertificateBeforeItsKey_IsRefusedAndThenLoaded()
    {
        var old = _root.Issue(["localhost"]);
        var options = _folder.Write("tls", old);
        await using var server = await TlsServer.StartAsync(options);
        var renewed = _root.Issue(["localhost"]);

        File.WriteAllText(options.Certificate, renewed.CertificatePem);
        await UntilAsync(() => server.Certificates.Status.Problems.Count > 0);

        Assert.Equal(old.Certificate.Thumbprint, (await server.ConnectAsync("localhost")).Thumbprint);
        Assert.Contains(server.Log.Lines, line => line.StartsWith(
            "1602 Error Changed certificates were refused; the last good version stays in force. "
            + $"{options.Key}: tls.certificates[0].key: the key does not belong to the certificate",
            StringComparison.Ordinal));

        File.WriteAllText(options.Key, renewed.KeyPem);
        await UntilAsync(() => server.Certificates.Status.Problems.Count == 0);

        Assert.Equal(renewed.Certificate.Thumbprint, (await server.ConnectAsync("localhost")).Thumbprint);
    }

    [Theory]
    [InlineData("", "the file is empty")]
    [InlineData("-----BEGIN CERTIFICATE-----\nMIIB", "broken or cut off")]
    [InlineData(null, "no such file")]
    public async Task Reload_BrokenCertificate_KeepsTheOldOneAndTells(string? content, string message)
    {
        var old = _root.Issue(["localhost"]);
        var options = _folder.Write("tls", old);
        await using var server = await TlsServer.StartAsync(options);

        if (content is null)
        {
            File.Delete(options.Certificate);
        }
        else
        {
            File.WriteAllText(options.Certificate, content);
        }

        await UntilAsync(
            () => server.Certificates.Status.Problems.Any(p => p.What.Contains(message, StringComparison.Ordinal)));

        Assert.Equal(old.Certificate.Thumbprint, (await server.ConnectAsync("localhost")).Thumbprint);
    }

    [Fact]
    public async Task Reload_NewIntermediateForTheSameCertificate_IsSent()
    {
        var intermediate = _root.CreateIntermediate("Intermediate");
        var pair = intermediate.Issue(["localhost"]);
        var options = _folder.Write("tls", pair);
        await using var server = await TlsServer.StartAsync(options);
        Assert.DoesNotContain(intermediate.Certificate.Thumbprint, (await server.ConnectAsync("localhost")).Sent);

        _folder.Write("tls", pair, intermediate);
        await UntilAsync(() => server.Log.Lines.Any(static line => line.StartsWith("1601", StringComparison.Ordinal)));

        Assert.Contains(intermediate.Certificate.Thumbprint, (await server.ConnectAsync("localhost")).Sent);
    }

    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task Resumption_AfterARenewal_ShakesHandsAnew(string version)
    {
        var options = _folder.Write("tls", _root.Issue(["localhost"]));
        await using var server = await TlsServer.StartAsync(options);
        var session = _folder["session.pem"];
        await Tool.SClientAsync(server.Port, version, "-servername", "localhost", "-sess_out", session);

        var (_, before) = await Tool.SClientAsync(
            server.Port, version, "-servername", "localhost", "-sess_in", session);
        _folder.Write("tls", _root.Issue(["localhost"]));
        await UntilAsync(() => server.Log.Lines.Any(static line => line.StartsWith("1601", StringComparison.Ordinal)));
        var (_, after) = await Tool.SClientAsync(server.Port, version, "-servername", "localhost", "-sess_in", session);

        Assert.Contains("Reused, TLS", before, StringComparison.Ordinal);
        Assert.Contains("New, TLS", after, StringComparison.Ordinal);
        Assert.Contains("HTTP/1.1 200 OK", after, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task Resumption_ForAnotherName_ShakesHandsAnew(string version)
    {
        await using var server = await TlsServer.StartAsync(
            _folder.Write("a", _root.Issue(["a.test"])), _folder.Write("b", _root.Issue(["b.test"])));
        var session = _folder["session.pem"];
        await Tool.SClientAsync(server.Port, version, "-servername", "a.test", "-sess_out", session);

        var (_, output) = await Tool.SClientAsync(server.Port, version, "-servername", "b.test", "-sess_in", session);

        Assert.Contains("New, TLS", output, StringComparison.Ordinal);
        Assert.Contains("subject=CN = b.test", output, StringComparison.Ordinal);
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        // The reload runs by itself, as in production; this only watches it.
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(clock.Elapsed < Promise, $"It did not happen within {Promise}.");
            await Task.Delay(TimeSpan.FromMilliseconds(20));
        }
    }

    private async Task RenewAsync(string how, int generation, TestPair pair)
    {
        switch (how)
        {
            case "overwrite":
                _folder.Write("tls", pair);
                break;

            case "rename":
                _folder.Write("new", pair);
                File.Move(_folder["new.crt"], _folder["tls.crt"], overwrite: true);
                File.Move(_folder["new.key"], _folder["tls.key"], overwrite: true);
                break;

            default: // as the kubelet updates a mounted secret
                var folder = $"..generation{generation}";
                Directory.CreateDirectory(_folder[folder]);
                _folder.Write(folder + "/tls", pair);
                File.CreateSymbolicLink(_folder["..data_tmp"], folder);
                await Tool.RenameAsync(_folder["..data_tmp"], _folder["..data"]);
                if (generation == 0)
                {
                    File.CreateSymbolicLink(_folder["tls.crt"], "..data/tls.crt");
                    File.CreateSymbolicLink(_folder["tls.key"], "..data/tls.key");
                }
                else
                {
                    Directory.Delete(_folder[$"..generation{generation - 1}"], recursive: true);
                }

                break;
        }
    }

    private async Task<int> RequestAsync(TlsServer server, Version version, TimeSpan lifetime, CancellationToken stop)
    {
        using var client = server.CreateClient(version, _root, lifetime);
        var count = 0;
        while (!stop.IsCancellationRequested)
        {
            using var answer = await client.GetAsync("/", CancellationToken.None);
            answer.EnsureSuccessStatusCode();
            count++;
        }

        return count;
    }

    // Not HttpClient, which would hide a dropped connection by opening another.
    private async Task<int> RequestOnOneConnectionAsync(TlsServer server, CancellationToken stop)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, server.Port, CancellationToken.None);
        await using var tls = new SslStream(client.GetStream());
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            CertificateChainPolicy = TlsServer.Trusting(_root),
        }, CancellationToken.None);
        using var reader = new StreamReader(tls, Encoding.ASCII);
        var count = 0;
        while (!stop.IsCancellationRequested)
        {
            await tls.WriteAsync("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray(), CancellationToken.None);
            Assert.Equal("HTTP/1.1 200 OK", await reader.ReadLineAsync(CancellationToken.None));
            while (!string.IsNullOrEmpty(await reader.ReadLineAsync(CancellationToken.None)))
            {
                // the headers
            }

            count++;
        }

        return count;
    }
}
