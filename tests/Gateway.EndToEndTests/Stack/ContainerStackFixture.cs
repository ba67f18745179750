using System.Diagnostics.CodeAnalysis;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Stack;

/// <summary>
/// <c>compose/up --detach</c> with the Docker Engine, under a name whose certificate the engine verifies.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "xUnit calls IAsyncLifetime.DisposeAsync")]
public sealed class ContainerStackFixture(DockerEngine engine) : IAsyncLifetime
{
    private ComposeStack? _stack;
    private TrustedHost? _host;

    internal ComposeStack Stack => _stack!;

    internal DockerEngine Engine => engine;

    internal CliResult Up { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        _host = await TrustedHost.CreateAsync();
        _stack = new ComposeStack(TrustedHost.Name, TrustedHost.Address, engine.Host);
        Up = await _stack.UpAsync("--detach");
        Up.Succeeded();
        _host.Trust(_stack.Authority, Path.Combine(_stack.State, "ca.crt"));
    }

    public async Task DisposeAsync()
    {
        if (_stack is not null)
        {
            var log = Path.Combine(_stack.State, "logs", "gateway.log");
            await File.WriteAllTextAsync(log, (await DockerAsync("logs", await ContainerAsync("gateway"))).Text);
            await _stack.DisposeAsync();
        }

        if (_host is not null)
        {
            await _host.DisposeAsync();
        }
    }

    internal Task<CliResult> DockerAsync(params string[] arguments) => engine.DockerAsync(arguments);

    /// <summary>
    /// The id of a service's container. Its name differs between versions of compose, its labels don't.
    /// </summary>
    internal async Task<string> ContainerAsync(string service) => (await DockerAsync(
        "ps", "--quiet", "--no-trunc",
        "--filter", $"label=com.docker.compose.project={Stack.Project}",
        "--filter", $"label=com.docker.compose.service={service}")).Succeeded();
}
