using System.Diagnostics.CodeAnalysis;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>A registry, a gateway in front of it, and the gateway's host name on this machine.</summary>
[SuppressMessage("Design", "CA1001", Justification = "xUnit calls IAsyncLifetime.DisposeAsync")]
public sealed class ClientsFixture : IAsyncLifetime
{
    /// <summary>The sample's rights, a user's that tests remove, and a robot's.</summary>
    internal const string Policy = GatewaySettings.SamplePolicy + "\n" + """
          - { name: carol reads team-a, to: [ user:carol ], role: reader, on: [ "team-a/**" ] }
          - { name: the robot pushes team-a, to: [ robot:ci ], role: writer, on: [ "team-a/**" ] }
        """;

    /// <summary>
    /// Limits for the tests of them, and room for the wrong passwords of all tests, which come from one address.
    /// </summary>
    private const string Limits = """
        limits:
          rules:
            - { name: one-pull, classes: [pull], per: [repository], repositories: ["public/*-limited"], rate: 1, window: 24h }
            - { name: pull-each-second, classes: [pull], per: [repository], repositories: ["public/*-paced"], rate: 10, window: 10s, burst: 1 }
            - { name: failures, classes: [signInFailure], per: [address], rate: 1000, window: 1h }
        """;

    private readonly Lazy<TestImage> _largeImage = new(static () => TestImage.Create(TestImage.LargeSize));
    private RegistryProcess? _registry;
    private TrustedHost? _host;
    private ClientGateway? _gateway;

    internal ClientGateway Gateway => _gateway!;

    internal TrustedHost Host => _host!;

    internal RegistryProcess Registry => _registry!;

    /// <summary>An image with a layer of over 100 MiB.</summary>
    internal TestImage LargeImage => _largeImage.Value;

    internal string Authority => Gateway.Authority;

    internal static string PasswordOf(string user) => GatewaySettings.SampleUsers[user];

    public async Task InitializeAsync()
    {
        _host = await TrustedHost.CreateAsync();
        _registry = await RegistryProcess.StartAsync();
        _gateway = await ClientGateway.StartAsync(_host, new GatewaySettings
        {
            Upstream = _registry.Address,
            Policy = Policy,
            MoreYaml = Limits,
        });
    }

    public async Task DisposeAsync()
    {
        if (_gateway is not null)
        {
            await _gateway.DisposeAsync();
        }

        if (_host is not null)
        {
            await _host.DisposeAsync();
        }

        if (_registry is not null)
        {
            await _registry.DisposeAsync();
        }

        if (_largeImage.IsValueCreated)
        {
            LargeImage.Dispose();
        }
    }

    /// <summary>Runs something while no client on this machine trusts the gateway's authority.</summary>
    internal async Task<CliResult> WithoutTrustAsync(Func<Task<CliResult>> run)
    {
        Host.Distrust();
        try
        {
            return await run();
        }
        finally
        {
            Host.Trust(Authority, Gateway.Process.AuthorityFile);
        }
    }
}
