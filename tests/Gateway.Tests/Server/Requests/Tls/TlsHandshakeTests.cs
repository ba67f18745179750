using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace Gateway.Tests.Server.Requests.Tls;

public sealed class TlsHandshakeTests : IDisposable
{
    private readonly TestAuthority _root = TestAuthority.CreateRoot();
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("localhost", "first")]
    [InlineData("registry.example.com", "exact")]
    [InlineData("REGISTRY.Example.COM", "exact")]
    [InlineData("other.example.com", "wildcard")]
    [InlineData("a.b.example.com", "first")]
    [InlineData("example.com", "first")]
    [InlineData("unknown.test", "first")]
    [InlineData("xn--bcher-kva.test", "idn")]
    [InlineData("a.xn--bcher-kva.test", "idn")]
    [InlineData(null, "first")]
    public async Task Handshake_ServerName_ChoosesExactThenWildcardThenFirst(string? serverName, string expected)
    {
        var pairs = new Dictionary<string, TestPair>
        {
            ["first"] = _root.Issue(["localhost"]),
            ["wildcard"] = _root.Issue(["*.example.com"]),
            ["exact"] = _root.Issue(["registry.example.com"], RSA.Create(2048)),
            ["idn"] = _root.Issue(["xn--bcher-kva.test", "*.xn--bcher-kva.test"]),
        };
        await using var server = await TlsServer.StartAsync([.. pairs.Select(p => _folder.Write(p.Key, p.Value))]);

        var handshake = await server.ConnectAsync(serverName);

        Assert.Equal(expected, pairs.Single(p => p.Value.Certificate.Thumbprint == handshake.Thumbprint).Key);
    }

    [Fact]
    public async Task Handshake_HostileServerName_GetsTheFirstCertificate()
    {
        await using var server = await TlsServer.StartAsync(
            _folder.Write("first", _root.Issue(["localhost", "*.example.com"])));
        foreach (var name in new[]
        {
            ".",
            "..",
            ".example.com",
            "*.example.com",
            new string('a', 250),
            "a\u0001b",
            "xn--",
        })
        {
            var (_, output) = await Tool.SClientAsync(server.Port, "-servername", name);

            Assert.Contains("HTTP/1.1 200 OK", output, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("-tls1_2", "TLSv1.2")]
    [InlineData("-tls1_3", "TLSv1.3")]
    public async Task Handshake_CurrentVersion_IsServed(string option, string version)
    {
        await using var server = await TlsServer.StartAsync(_folder.Write("tls", _root.Issue(["localhost"])));

        var (_, output) = await Tool.SClientAsync(server.Port, option, "-cipher", "ALL:@SECLEVEL=0");

        Assert.Contains("New, " + version, output, StringComparison.Ordinal);
        Assert.Contains("HTTP/1.1 200 OK", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-tls1")]
    [InlineData("-tls1_1")]
    public async Task Handshake_OldVersion_IsRefused(string option)
    {
        await using var server = await TlsServer.StartAsync(
            _folder.Write("tls", _root.Issue(["localhost"], RSA.Create(2048))));

        // At security level 0 the client itself would still speak the old version.
        var (_, output) = await Tool.SClientAsync(server.Port, option, "-cipher", "ALL:@SECLEVEL=0");

        Assert.Contains("alert protocol version", output, StringComparison.Ordinal);
        Assert.DoesNotContain("HTTP/1.1", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Handshake_ClientRenegotiates_IsRefused()
    {
        await using var server = await TlsServer.StartAsync(_folder.Write("tls", _root.Issue(["localhost"])));

        var (_, output) = await Tool.RunToItsEndAsync(
            "R\n", "openssl", "s_client", "-connect", $"127.0.0.1:{server.Port}", "-tls1_2");

        Assert.Contains("RENEGOTIATING", output, StringComparison.Ordinal);
        Assert.Contains("unexpected eof", output, StringComparison.Ordinal); // the server hangs up
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Request_EitherHttpVersion_IsAnsweredWithIt(string version)
    {
        await using var server = await TlsServer.StartAsync(_folder.Write("tls", _root.Issue(["localhost"])));
        using var client = server.CreateClient(Version.Parse(version), _root);

        var answer = await client.GetAsync("/");

        Assert.Equal(Version.Parse(version), answer.Version);
        Assert.Equal("max-age=31536000", Assert.Single(answer.Headers.GetValues("Strict-Transport-Security")));
    }

    [Fact]
    public async Task Handshake_ApplicationProtocols_PrefersHttp2()
    {
        await using var server = await TlsServer.StartAsync(_folder.Write("tls", _root.Issue(["localhost"])));

        var both = await server.ConnectAsync(
            "localhost", SslProtocols.None, SslApplicationProtocol.Http11, SslApplicationProtocol.Http2);
        var old = await server.ConnectAsync("localhost", SslProtocols.None, SslApplicationProtocol.Http11);
        var none = await server.ConnectAsync("localhost");

        Assert.Equal(SslApplicationProtocol.Http2, both.ApplicationProtocol);
        Assert.Equal(SslApplicationProtocol.Http11, old.ApplicationProtocol);
        Assert.Equal(default, none.ApplicationProtocol);
    }

    [Theory]
    [InlineData("-----BEGIN PRIVATE KEY-----", "rsa")]
    [InlineData("-----BEGIN RSA PRIVATE KEY-----", "rsa")]
    [InlineData("-----BEGIN PRIVATE KEY-----", "ecdsa")]
    [InlineData("-----BEGIN EC PRIVATE KEY-----", "ecdsa")]
    [InlineData("-----BEGIN EC PARAMETERS-----", "ecdsa")]
    public async Task Handshake_EachKeyFormat_IsServed(string begin, string kind)
    {
        using var key = kind == "rsa"
            ? (AsymmetricAlgorithm)RSA.Create(2048)
            : ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var pair = _root.Issue(["localhost"], key);
        var options = _folder.Write("tls", pair);
        var text = (begin, key) switch
        {
            ("-----BEGIN RSA PRIVATE KEY-----", RSA rsa) => rsa.ExportRSAPrivateKeyPem(),
            ("-----BEGIN EC PRIVATE KEY-----", ECDsa ecdsa) => ecdsa.ExportECPrivateKeyPem(),
            // as "openssl ecparam -genkey" writes it
            ("-----BEGIN EC PARAMETERS-----", ECDsa ecdsa) =>
                "-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n"
                + ecdsa.ExportECPrivateKeyPem(),
            _ => pair.KeyPem,
        };
        Assert.StartsWith(begin, text, StringComparison.Ordinal);
        File.WriteAllText(options.Key, text);
        await using var server = await TlsServer.StartAsync(options);

        Assert.Equal(pair.Certificate.Thumbprint, (await server.ConnectAsync("localhost")).Thumbprint);
    }

    [Fact]
    public async Task Handshake_ChainOutOfOrder_IsSentInOrderWithoutTheRoot()
    {
        var first = _root.CreateIntermediate("Intermediate one");
        var second = first.CreateIntermediate("Intermediate two");
        var options = _folder.Write("tls", second.Issue(["localhost"]), _root, first, second);
        await using var server = await TlsServer.StartAsync(options);

        var (_, output) = await Tool.SClientAsync(server.Port, "-servername", "localhost");

        // Printed once without -showcerts: the depth, subject (s) and issuer (i) of each certificate sent.
        var subjects = Regex.Matches(output, @"(?m)^ \d s:CN = (.+)$").Select(static match => match.Groups[1].Value);
        Assert.Equal(["localhost", "Intermediate two", "Intermediate one"], subjects);
        Assert.Contains(server.Log.Lines, static line => line.Contains(
            "this certificate did not issue the one before it", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Handshake_IntermediateInFile_IsAcceptedByAClientThatKnowsTheRoot()
    {
        var intermediate = _root.CreateIntermediate("Intermediate");
        await using var server = await TlsServer.StartAsync(
            _folder.Write("tls", intermediate.Issue(["localhost"]), intermediate));
        using var client = server.CreateClient(new Version(2, 0), _root);

        Assert.Equal("HTTP/2", await client.GetStringAsync("/"));
    }
}
