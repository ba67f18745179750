using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gateway.Foundation.Configuration;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Redis;
using Gateway.Tests.Server.Requests.Tls;
using Gateway.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Server.Requests.Redis;

/// <summary>Whom the connection to Redis trusts; the server is real.</summary>
public sealed class RedisTlsTests
{
    [Fact]
    public async Task Connect_CertificateOfTheConfiguredAuthority_IsTrusted()
    {
        var authority = TestAuthority.CreateRoot();

        Assert.Equal("PONG", await PingAsync(authority.Issue(["127.0.0.1"]), authority));
    }

    [Fact]
    public async Task Connect_IntermediateThatTheServerSends_IsTrusted()
    {
        var authority = TestAuthority.CreateRoot();
        var intermediate = authority.CreateIntermediate("Between");

        Assert.Equal("PONG", await PingAsync(intermediate.Issue(["127.0.0.1"]), authority, chain: [intermediate]));
    }

    [Fact]
    public async Task Connect_CertificateOfAnotherAuthority_IsRefused()
    {
        var issuer = TestAuthority.CreateRoot();

        await IsRefusedAsync(issuer.Issue(["127.0.0.1"]), TestAuthority.CreateRoot()); // of the same name
    }

    [Fact]
    public async Task Connect_PrivateAuthorityThatIsNotConfigured_IsRefused()
    {
        await IsRefusedAsync(TestAuthority.CreateRoot().Issue(["127.0.0.1"]), trusted: null);
    }

    [Fact]
    public async Task Connect_CertificateForAnotherName_IsRefused()
    {
        var authority = TestAuthority.CreateRoot();

        await IsRefusedAsync(authority.Issue(["redis.example.com"]), authority);
    }

    [Fact]
    public async Task Connect_ExpiredCertificate_IsRefused()
    {
        var authority = TestAuthority.CreateRoot();
        var now = TimeProvider.System.GetUtcNow();

        await IsRefusedAsync(
            authority.Issue(["127.0.0.1"], notBefore: now.AddDays(-9), notAfter: now.AddDays(-1)), authority);
    }

    [Fact]
    public async Task Connect_CertificateForClientsOnly_IsRefused()
    {
        var authority = TestAuthority.CreateRoot();
        var pair = authority.Issue(["127.0.0.1"], change: static request => request.CertificateExtensions.Add(
            new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.2")], critical: false)));

        await IsRefusedAsync(pair, authority);
    }

    [Fact]
    public async Task Connect_ServerWithoutTls_IsRefused()
    {
        await using var server = await RedisServer.StartAsync();
        var options = server.Options;
        options.Tls = true;
        await using var redis = new RedisConnection(options, TimeProvider.System, NullLogger<RedisConnection>.Instance);

        await Assert.ThrowsAnyAsync<StateException>(() => PingAsync(redis));
    }

    [Fact]
    public void Load_FileWithoutCertificate_IsAProblem()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("ca.crt", "nothing");

        var exception = Assert.Throws<ProblemException>(
            () => RedisTrust.Load(new RedisOptions { CertificateAuthority = file }));

        Assert.StartsWith(
            $"{file}: redis.certificateAuthority: the file holds no certificate. ", exception.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Load_MissingFile_IsAProblem()
    {
        var exception = Assert.Throws<ProblemException>(
            () => RedisTrust.Load(new RedisOptions { CertificateAuthority = "/nowhere/ca.crt" }));

        Assert.StartsWith(
            "/nowhere/ca.crt: redis.certificateAuthority: the file cannot be read ", exception.Message,
            StringComparison.Ordinal);
    }

    private static Task IsRefusedAsync(TestPair pair, TestAuthority? trusted) =>
        ConnectAsync(pair, trusted, [], async redis =>
        await Eventually.TrueAsync(async () =>
        {
            // The very first failure may come before the library knows why.
            var exception = await Assert.ThrowsAnyAsync<StateException>(() => PingAsync(redis));
            return exception.Message.Contains("its certificate is not trusted", StringComparison.Ordinal);
        }));

    private static async Task<string?> PingAsync(TestPair pair, TestAuthority trusted, params TestAuthority[] chain)
    {
        string? answer = null;
        await ConnectAsync(pair, trusted, chain, async redis => answer = await PingAsync(redis));
        return answer;
    }

    private static async Task<string?> PingAsync(RedisConnection redis) =>
        (string?)await redis.EvaluateAsync("return redis.call('PING')", [], [], default);

    private static async Task ConnectAsync(
        TestPair pair, TestAuthority? trusted, TestAuthority[] chain, Func<RedisConnection, Task> use)
    {
        using var folder = new TestFolder();
        var files = folder.Write("redis", pair, chain);
        await using var server = await RedisServer.StartAsync(
            "--tls-cert-file", files.Certificate, "--tls-key-file", files.Key, "--tls-ca-cert-file", files.Certificate);
        var options = server.Options;
        options.Tls = true;
        options.CertificateAuthority = trusted is null
            ? null
            : folder.Write("ca.crt", trusted.Certificate.ExportCertificatePem());
        await using var redis = new RedisConnection(options, TimeProvider.System, NullLogger<RedisConnection>.Instance);
        await use(redis);
    }
}
