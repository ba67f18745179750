using System.Diagnostics.CodeAnalysis;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Load;

/// <summary>A registry and a gateway in front of it, under the name that the compose stack has too.</summary>
[SuppressMessage("Design", "CA1001", Justification = "xUnit calls IAsyncLifetime.DisposeAsync")]
public sealed class LoadFixture : IAsyncLifetime
{
    private RegistryProcess? _registry;
    private GatewayProcess? _gateway;

    public async Task InitializeAsync()
    {
        _registry = await RegistryProcess.StartAsync();
        _gateway = await GatewayProcess.StartAsync(
            new GatewaySettings { Upstream = _registry.Address, Host = "localhost" });
    }

    public async Task DisposeAsync()
    {
        if (_gateway is not null)
        {
            await _gateway.DisposeAsync();
        }

        if (_registry is not null)
        {
            await _registry.DisposeAsync();
        }
    }

    /// <summary>Runs a script against the gateway, trusting its authority only.</summary>
    internal Task<CliResult> RunAsync(string script, string settings) => RunAsync(_gateway!, script, settings);

    /// <inheritdoc cref="RunAsync(string, string)"/>
    internal static Task<CliResult> RunAsync(GatewayProcess gateway, string script, string settings)
    {
        var users = GatewaySettings.SampleUsers;
        return LoadRun.RunAsync(
            script,
            $"GATEWAY_URL={gateway.PublicUrl} ALICE_PASSWORD={users["alice"]} BOB_PASSWORD={users["bob"]} {settings}",
            "--ca",
            gateway.AuthorityFile);
    }
}
