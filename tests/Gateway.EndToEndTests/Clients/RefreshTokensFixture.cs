using System.Diagnostics.CodeAnalysis;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>A second gateway before the same registry, which hands out refresh tokens.</summary>
[SuppressMessage("Design", "CA1001", Justification = "xUnit calls IAsyncLifetime.DisposeAsync")]
public sealed class RefreshTokensFixture(ClientsFixture stack) : IAsyncLifetime
{
    private ClientGateway? _gateway;

    internal ClientGateway Gateway => _gateway!;

    public async Task InitializeAsync() => _gateway = await ClientGateway.StartAsync(stack.Host, new GatewaySettings
    {
        Upstream = stack.Registry.Address,
        Policy = ClientsFixture.Policy,
        MoreYaml = "tokens: { refreshTokens: true }",
    });

    public async Task DisposeAsync()
    {
        if (_gateway is not null)
        {
            await _gateway.DisposeAsync();
        }
    }
}
