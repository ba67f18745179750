using System.Diagnostics.CodeAnalysis;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using DotNet.Testcontainers.Builders;
using DotNet.Testcontainers.Configurations;
using DotNet.Testcontainers.Containers;
using DotNet.Testcontainers.Networks;
using Gateway.EndToEndTests.Support;
using Testcontainers.Redis;

namespace Gateway.EndToEndTests.Stack;

/// <summary>
/// The gateway's image in front of <c>registry:2</c> and <c>registry:3</c>, with its tokens in <c>redis:7</c>: each a
/// container that Testcontainers starts. Where nothing can be pulled, stand-ins take their places; there is none of
/// <c>registry:3</c>.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "xUnit calls IAsyncLifetime.DisposeAsync")]
public sealed class RegistryContainersFixture(DockerEngine engine) : IAsyncLifetime
{
    private const int PublicPort = 8443;
    private const int ManagementPort = 8081;
    private const int RegistryPort = 5000;
    private const uint GatewayUser = 1654; // the image's own

    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(3);

    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-containers-").FullName;
    private readonly Dictionary<string, string> _users = new()
    {
        ["alice"] = "alices-long-password",
        ["bob"] = "bobs-long-password",
    };

    private readonly List<IAsyncDisposable> _started = []; // what uses another after it
    private X509Certificate2? _authority;

    /// <summary>The containers of the registries, each by the prefix that it has at the gateway.</summary>
    internal Dictionary<string, IContainer> Registries { get; } = [];

    internal RedisContainer Redis { get; private set; } = null!;

    internal IContainer Gateway { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        var images = new ContainerImages(engine);
        var redis = await images.FindAsync("redis:7", "redis", "gateway-local/redis:7");
        var second = await images.FindAsync("registry:2", "registry", "gateway-local/registry:2");
        var third = await images.FindAsync("registry:3");
        var gateway = await images.BuildGatewayAsync();
        TestcontainersSettings.ResourceReaperEnabled = !images.CannotPull; // it is an image, too

        var endpoint = await EngineEndpoint.FindAsync(engine);
        var network = new NetworkBuilder().WithDockerEndpoint(endpoint).Build();
        _started.Add(network);
        await network.CreateAsync();
        Redis = new RedisBuilder(redis!)
            .WithDockerEndpoint(endpoint)
            .WithNetwork(network)
            .WithNetworkAliases("redis")
            .WithCommand("redis-server", "--protected-mode", "no", "--appendonly", "yes", "--appendfsync", "always")
            .Build();
        Registries.Add("second", BuildRegistry(endpoint, second!, "second", network));
        if (third is not null)
        {
            Registries.Add("third", BuildRegistry(endpoint, third, "third", network));
        }

        _started.AddRange([Redis, .. Registries.Values]);
        using var limit = new CancellationTokenSource(StartTimeout);
        await Task.WhenAll([
            Redis.StartAsync(limit.Token), .. Registries.Values.Select(registry => registry.StartAsync(limit.Token)),
        ]);
        Gateway = await BuildGatewayAsync(endpoint, gateway, network);
        _started.Add(Gateway);
        await Gateway.StartAsync(limit.Token);
    }

    public async Task DisposeAsync()
    {
        var log = Gateway is null ? "" : await ReadLogAsync(Gateway);
        foreach (var one in Enumerable.Reverse(_started))
        {
            await one.DisposeAsync();
        }

        _authority?.Dispose();
        Directory.Delete(_folder, recursive: true);
        Secrets.AssertNotIn(log);
    }

    /// <summary>A client of the gateway that trusts its authority only.</summary>
    internal HttpClient CreateClient(string user, string? password = null) => CreateClient(
        new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password ?? _users[user]}"))));

    /// <summary>A client of a registry itself.</summary>
    internal static HttpClient CreateClient(IContainer registry) => new()
    {
        BaseAddress = new UriBuilder("http", registry.Hostname, registry.GetMappedPublicPort(RegistryPort)).Uri,
    };

    /// <summary>Runs <c>gateway</c> in the gateway's container, as an operator does.</summary>
    /// <returns>What it printed.</returns>
    internal async Task<string> RunAsync(params string[] arguments)
    {
        var run = await Gateway.ExecAsync(["gateway", .. arguments]);
        Assert.True(run.ExitCode == 0, run.Stderr);
        return run.Stdout;
    }

    private static async Task<string> ReadLogAsync(IContainer container)
    {
        var (output, error) = await container.GetLogsAsync();
        return output + error;
    }

    private static IContainer BuildRegistry(EngineEndpoint endpoint, string image, string name, INetwork network) =>
        new ContainerBuilder(image)
            .WithDockerEndpoint(endpoint)
            .WithNetwork(network)
            .WithNetworkAliases(name)
            .WithPortBinding(RegistryPort, assignRandomHostPort: true)
            .WithEnvironment("OTEL_TRACES_EXPORTER", "none") // registry:3 would look for a collector
            .WithWaitStrategy(Wait.ForUnixContainer().UntilHttpRequestIsSucceeded(
                static request => request.ForPort(RegistryPort).ForPath("/v2/")))
            .Build();

    private async Task<IContainer> BuildGatewayAsync(EngineEndpoint endpoint, string image, INetwork network)
    {
        var certificates = Path.Combine(_folder, "certs");
        (await GatewayProcess.RunCommandAsync(["dev-cert", "--out", certificates, "--name", "localhost"])).Succeeded();
        _authority = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(certificates, "ca.crt"));
        var users = Path.Combine(_folder, "users.htpasswd");
        foreach (var (name, password) in _users)
        {
            Secrets.Know(name, password);
            (await GatewayProcess.RunCommandAsync(
                ["user", "add", name, "--file", users], new CliSettings { Input = password + "\n" })).Succeeded();
        }

        var registries = string.Join(", ", Registries.Keys.Select(
            static name =>
                $$"""{ name: {{name}}, prefix: {{name}}, stripPrefix: true, upstreams: [ "http://{{name}}:5000" ] }"""));
        var configuration = $$"""
            publicUrl: https://localhost:8443
            listen: { https: "*:8443", management: "*:8081" }
            tls: { certificates: [ { certificate: certs/tls.crt, key: certs/tls.key } ] }
            registries: [ {{registries}} ]
            authentication: { htpasswd: { file: users.htpasswd } }
            policies: policies
            state: { folder: /tmp/state, store: redis }
            redis: { server: "redis:6379" }
            log: { level: trace }
            """;
        const string Policy = """
            rules:
              - { name: alice, to: [ "user:alice" ], role: owner, on: [ "**" ] }
              - { name: bob, to: [ "user:bob" ], role: reader, on: [ "**" ] }
            """;
        var builder = new ContainerBuilder(image)
            .WithDockerEndpoint(endpoint)
            .WithNetwork(network)
            .WithPortBinding(PublicPort, assignRandomHostPort: true)
            .WithPortBinding(ManagementPort, assignRandomHostPort: true)
            .WithWaitStrategy(Wait.ForUnixContainer().UntilHttpRequestIsSucceeded(
                static request => request.ForPort(ManagementPort).ForPath("/readyz")));
        foreach (var (path, content) in new Dictionary<string, byte[]>
        {
            ["gateway.yaml"] = Encoding.UTF8.GetBytes(configuration),
            ["policies/policy.yaml"] = Encoding.UTF8.GetBytes(Policy),
            ["users.htpasswd"] = await File.ReadAllBytesAsync(users),
            ["certs/tls.crt"] = await File.ReadAllBytesAsync(Path.Combine(certificates, "tls.crt")),
            ["certs/tls.key"] = await File.ReadAllBytesAsync(Path.Combine(certificates, "tls.key")),
        })
        {
            builder = builder.WithResourceMapping(
                content, "/etc/gateway/" + path, GatewayUser, GatewayUser,
                UnixFileModes.UserRead | UnixFileModes.UserWrite);
        }

        return builder.Build();
    }

    private HttpClient CreateClient(AuthenticationHeaderValue authorization)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(Gateway.Hostname, Gateway.GetMappedPublicPort(PublicPort), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            CustomTrustStore = { _authority! },
        };
        var client = new HttpClient(handler) { BaseAddress = new Uri("https://localhost:8443") };
        client.DefaultRequestHeaders.Authorization = authorization;
        return client;
    }
}
