using System.Diagnostics.CodeAnalysis;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>A registry, a gateway in front of it, an image, and the gateway's host name on this machine.</summary>
[SuppressMessage("Design", "CA1001", Justification = "xUnit calls IAsyncLifetime.DisposeAsync")]
public sealed class ClientsFixture : IAsyncLifetime
{
    private RegistryProcess? _registry;
    private GatewayProcess? _gateway;
    private TrustedHost? _host;
    private TestImage? _image;

    internal GatewayProcess Gateway => _gateway!;

    internal TestImage Image => _image!;

    internal string Authority => Gateway.Authority;

    internal static string PasswordOf(string user) => GatewaySettings.SampleUsers[user];

    public async Task InitializeAsync()
    {
        _image = TestImage.Create(TestImage.LargeSize);
        _host = await TrustedHost.CreateAsync();
        _registry = await RegistryProcess.StartAsync();
        _gateway = await GatewayProcess.StartAsync(new GatewaySettings
        {
            Upstream = _registry.Address,
            ListenAddress = TrustedHost.Address,
        });
        _host.Trust(_gateway.Authority, _gateway.AuthorityFile);
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

        _image?.Dispose();
    }

    /// <summary>Runs something while no client on this machine trusts the gateway's authority.</summary>
    internal async Task<CliResult> WithoutTrustAsync(Func<Task<CliResult>> run)
    {
        _host!.Distrust();
        try
        {
            return await run();
        }
        finally
        {
            _host.Trust(Authority, Gateway.AuthorityFile);
        }
    }
}
