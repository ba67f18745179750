using System.Net;
using System.Runtime.Versioning;
using Gateway.Foundation.Configuration;
using Gateway.Server.Requests.Tls;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Server.Requests.Tls;

public sealed class DevelopmentCertificatesTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly FakeTimeProvider _clock = new(TimeProvider.System.GetUtcNow());

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Make_EmptyFolder_MakesAChainThatOpensslVerifies()
    {
        Make(["localhost", "*.example.com"], ["127.0.0.1", "::1"]);

        foreach (var (option, value) in new[]
        {
            ("-verify_hostname", "localhost"), ("-verify_hostname", "a.example.com"),
            ("-verify_ip", "127.0.0.1"), ("-verify_ip", "::1"),
        })
        {
            var (exitCode, output) = await Tool.RunAsync(
                "", "openssl", "verify", "-x509_strict", "-purpose", "sslserver", option, value,
                "-CAfile", _folder["ca.crt"], _folder["tls.crt"]);

            Assert.True(exitCode == 0, output);
        }

        var (refused, _) = await Tool.RunAsync(
            "", "openssl", "verify", "-verify_hostname", "other.test", "-CAfile", _folder["ca.crt"],
            _folder["tls.crt"]);
        Assert.NotEqual(0, refused);
    }

    [Fact]
    public async Task Make_EmptyFolder_MakesAPairThatCurlAccepts()
    {
        Make(["localhost"], ["127.0.0.1"]);
        await using var server = await TlsServer.StartAsync(Options);

        foreach (var host in new[] { "localhost", "127.0.0.1" })
        {
            var (exitCode, output) = await Tool.RunAsync(
                "", "curl", "--silent", "--show-error", "--cacert", _folder["ca.crt"],
                $"https://{host}:{server.Port}/");

            Assert.Equal((0, "HTTP/2"), (exitCode, output));
        }

        var (untrusted, _) = await Tool.RunAsync("", "curl", "--silent", $"https://localhost:{server.Port}/");
        Assert.Equal(60, untrusted); // the peer's certificate cannot be authenticated
        Assert.DoesNotContain(server.Log.Lines, static line => line.StartsWith("1701", StringComparison.Ordinal));
    }

    [Fact]
    public void Make_EmptyFolder_KeepsKeysToTheirOwner()
    {
        Make(["localhost"], []);

        const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.Equal(OwnerOnly, new FileInfo(_folder["ca.key"]).UnixFileMode);
        Assert.Equal(OwnerOnly, new FileInfo(_folder["tls.key"]).UnixFileMode);
        Assert.True(new FileInfo(_folder["ca.crt"]).UnixFileMode.HasFlag(UnixFileMode.OtherRead));
        Assert.True(new FileInfo(_folder["tls.crt"]).UnixFileMode.HasFlag(UnixFileMode.OtherRead));
        Assert.Equal(4, Directory.GetFiles(_folder.Root).Length); // nothing temporary is left
    }

    [Fact]
    [SupportedOSPlatform("linux")]
    public void Make_KeyReadableByAllIsThere_ReplacesItByAClosedOne()
    {
        Make(["localhost"], []);
        new FileInfo(_folder["tls.key"]).UnixFileMode |= UnixFileMode.OtherRead;

        Make(["localhost"], [], force: true);

        Assert.False(new FileInfo(_folder["tls.key"]).UnixFileMode.HasFlag(UnixFileMode.OtherRead));
    }

    [Fact]
    public void Make_EmptyFolder_LimitsTheLifetimes()
    {
        Make(["localhost"], []);

        var served = CertificateSet.Load(
            new TlsOptions { Certificates = [Options] }, null, _clock.GetUtcNow()).Certificates[0];
        Assert.Equal(TimeSpan.FromDays(397), served.NotAfter - served.NotBefore);
        Assert.True(served.IsValidAt(_clock.GetUtcNow()));
    }

    [Fact]
    public void Make_Again_KeepsEverything()
    {
        Make(["localhost", "a.test"], ["::1"]);
        var before = Contents();

        var (written, kept) = Make(["A.test"], ["::1"]);

        Assert.Empty(written);
        Assert.Equal(["ca.crt", "ca.key", "tls.crt", "tls.key"], kept.Select(Path.GetFileName));
        Assert.Equal(before, Contents());
    }

    [Theory]
    [InlineData("another name")]
    [InlineData("near its end")]
    [InlineData("forced")]
    public void Make_ServerCertificateUnsuitable_IsIssuedAnewByTheSameAuthority(string why)
    {
        Make(["localhost"], []);
        var before = Contents();
        if (why == "near its end")
        {
            _clock.Advance(TimeSpan.FromDays(370));
        }

        var (written, _) = Make([why == "another name" ? "b.test" : "localhost"], [], force: why == "forced");

        var after = Contents();
        Assert.Equal(["tls.crt", "tls.key"], written.Select(Path.GetFileName));
        Assert.Equal((before["ca.crt"], before["ca.key"]), (after["ca.crt"], after["ca.key"]));
        Assert.NotEqual(before["tls.crt"], after["tls.crt"]);
        Assert.NotEqual(before["tls.key"], after["tls.key"]);
    }

    [Fact]
    public void Make_CertificateOfSomebodyElse_IsLeftAlone()
    {
        _folder.Write("tls", TestAuthority.CreateRoot().Issue(["localhost"]));
        var before = Contents();

        var exception = Assert.Throws<ProblemException>(() => Make(["localhost"], []));

        Assert.Equal(
            $"{_folder["tls.crt"]}: there is already a certificate or key that this command did not create. "
            + "Choose another folder with --out, or replace both files with --force.",
            exception.Message);
        Assert.Equal(before, Contents());
        Make(["localhost"], [], force: true);
        Assert.NotEqual(before["tls.crt"], Contents()["tls.crt"]);
    }

    [Theory]
    [InlineData("key missing")]
    [InlineData("mismatched")]
    [InlineData("expired")]
    [InlineData("not an authority")]
    public void Make_AuthorityUnusable_IsReplacedOnlyByForce(string why)
    {
        Make(["localhost"], []);
        switch (why)
        {
            case "key missing":
                File.Delete(_folder["ca.key"]);
                break;
            case "mismatched":
                File.Copy(_folder["tls.key"], _folder["ca.key"], overwrite: true);
                break;
            case "expired":
                _clock.Advance(TimeSpan.FromDays(3650));
                break;
            default:
                File.Copy(_folder["tls.crt"], _folder["ca.crt"], overwrite: true);
                File.Copy(_folder["tls.key"], _folder["ca.key"], overwrite: true);
                break;
        }

        var before = Contents();

        var exception = Assert.Throws<ProblemException>(() => Make(["localhost"], []));

        Assert.EndsWith(
            "Put the right files there, or create a new authority with --force and have clients trust it.",
            exception.Message, StringComparison.Ordinal);
        Assert.Equal(before, Contents());
        var (written, _) = Make(["localhost"], [], force: true);
        Assert.Equal(4, written.Count);
    }

    private CertificateOptions Options => new() { Certificate = _folder["tls.crt"], Key = _folder["tls.key"] };

    private (IReadOnlyList<string> Written, IReadOnlyList<string> Kept) Make(
        string[] names, string[] addresses, bool force = false) =>
        new DevelopmentCertificates(_folder.Root, _clock).Make(names, [.. addresses.Select(IPAddress.Parse)], force);

    private Dictionary<string, string> Contents() =>
        Directory.GetFiles(_folder.Root).ToDictionary(static file => Path.GetFileName(file), File.ReadAllText);
}
