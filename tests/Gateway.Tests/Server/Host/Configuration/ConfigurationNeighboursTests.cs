using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Host.Configuration;

/// <summary>What lies right beside each refused configuration, and must be accepted.</summary>
public sealed class ConfigurationNeighboursTests : IDisposable
{
    private const string Registry = """registries: [ { name: main, upstreams: [ "http://registry:5000" ] } ]""";
    private const string Users = "htpasswd: { file: users.htpasswd }";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(
        "hosts: [ registry.internal, 'registry.internal:8443', 10.0.0.7, '[::1]:8443', REGISTRY.example.com, a_b ]")]
    [InlineData("trustedProxies: [ 10.0.0.0/8, 10.0.0.7, '::1', fd00::/8, 0.0.0.0/1 ]")]
    [InlineData("listen: { https: '127.0.0.1:8443', http: '[::1]:8443', management: '127.0.0.2:8443' }")]
    [InlineData("listen: { https: '0.0.0.0:8443', http: '[::1]:8443' }")]
    [InlineData("listen: { https: '*:0', http: '*:0', management: '*:0' }")]
    [InlineData("listen: { http: '*:8080', httpHealth: true }")]
    [InlineData("listen: { httpHealth: false, management: '' }")]
    [InlineData("log: { level: none, format: json }")]
    public void Load_TopLevel_IsAccepted(string line) => Accept(ConfigurationSamples.Minimal + line + "\n");

    [Theory]
    [InlineData("https://registry.example.com/")]
    [InlineData("https://registry.example.com:8443")]
    [InlineData("https://[2001:db8::1]:8443")]
    [InlineData("https://10.0.0.7")]
    public void Load_PublicUrl_IsAccepted(string url) => Accept(ConfigurationSamples.Minimal.Replace(
        "https://registry.example.com", $"\"{url}\"", StringComparison.Ordinal));

    [Theory]
    // One default beside others; a prefix within a prefix, of which the longest wins.
    [InlineData(
        "{ name: a, upstreams: ['http://a'] }",
        "{ name: b, prefix: mirror, stripPrefix: true, upstreams: ['http://b'] }",
        "{ name: c, prefix: mirror/quay, upstreams: ['http://c'] }")]
    // No default at all.
    [InlineData(
        "{ name: a, host: a.example.com, upstreams: ['http://a'] }",
        "{ name: b, host: 'a.example.com:8443', upstreams: ['http://b'] }")]
    // Two registries may share an upstream: one storage seen under two names.
    [InlineData(
        "{ name: a-1, prefix: a, upstreams: ['http://r:5000/'] }",
        "{ name: a-2, prefix: b, upstreams: ['http://r:5000/'] }")]
    [InlineData("{ name: a, certificateAuthority: ca.crt, upstreams: ['http://r:5000', 'https://r:5000'] }")]
    [InlineData("{ name: a, credential: { username: gateway, password: 'pass:word é' }, upstreams: ['http://r'] }")]
    [InlineData("{ name: a, credential: { token: abc.def-_~+/= }, upstreams: ['http://r'] }")]
    [InlineData(
        "{ name: a, activityTimeout: 1s, blobActivityTimeout: 1m, healthCheck: { interval: 1s, timeout: 100ms }, "
            + "upstreams: ['http://r'] }")]
    [InlineData(
        "{ name: a, activityTimeout: 1h, blobActivityTimeout: 24h, healthCheck: { interval: 10m, timeout: 1m }, "
            + "upstreams: ['http://r'] }")]
    [InlineData("{ name: a, redirects: { allow: [] }, upstreams: ['http://r'] }")]
    [InlineData(
        "{ name: a, redirects: { allow: [ bucket.example.com, 'minio:9000', 'http://minio:9000', '*.s3.example.com', "
            + "'*.s3.example.com:8443', 'http://*.x.test', 127.0.0.1, '[::1]:9000' ] }, upstreams: ['http://r'] }")]
    public void Load_Registries_AreAccepted(params string[] registries) => Accept(ConfigurationSamples.Minimal.Replace(
        Registry, $"registries: [ {string.Join(", ", registries)} ]", StringComparison.Ordinal));

    [Theory]
    [InlineData(
        "htpasswd: { file: f, minimumCost: 4, maximumCost: 16 }, cacheLifetime: 1h, cacheSize: 1, concurrentHashes: 0")]
    [InlineData(
        "htpasswd: { file: f, minimumCost: 14, maximumCost: 14 }, cacheLifetime: 0s, cacheSize: 1000000, "
            + "concurrentHashes: 256")]
    public void Load_Authentication_IsAccepted(string settings) =>
        Accept(ConfigurationSamples.Minimal.Replace(Users, settings, StringComparison.Ordinal));

    [Theory]
    [InlineData("0s")]
    [InlineData("730d")]
    [InlineData("00:05:00")]
    public void Load_HstsMaxAge_IsAccepted(string duration) => Accept(ConfigurationSamples.Minimal.Replace(
        "tls: { ", $"tls: {{ hstsMaxAge: {duration}, ", StringComparison.Ordinal));

    private void Accept(string text) => Assert.NotNull(ConfigurationSamples.Load(_folder, text));
}
