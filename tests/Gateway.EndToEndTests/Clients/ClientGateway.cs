using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>A running gateway that clients reach, and trust, through a <see cref="RecordingFront"/>.</summary>
internal sealed class ClientGateway : IAsyncDisposable
{
    private readonly RecordingFront _front;

    private ClientGateway(RecordingFront front, GatewayProcess process)
    {
        _front = front;
        Process = process;
    }

    /// <summary>The gateway itself.</summary>
    public GatewayProcess Process { get; }

    /// <summary>What clients call it: <c>registry.gateway.test:PORT</c>.</summary>
    public string Authority => Process.Authority;

    /// <param name="host">The machine's name for it, which trusts it from now on.</param>
    /// <param name="settings">How it is started; addresses and ports are filled in here.</param>
    public static async Task<ClientGateway> StartAsync(TrustedHost host, GatewaySettings settings)
    {
        var front = await RecordingFront.StartAsync(TrustedHost.Address);
        try
        {
            var gateway = await GatewayProcess.StartAsync(settings with { PublicPort = front.Port });
            front.LeadTo(gateway);
            host.Trust(gateway.Authority, gateway.AuthorityFile);
            return new ClientGateway(front, gateway);
        }
        catch
        {
            await front.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs something and gives what clients asked of the gateway meanwhile.</summary>
    public async Task<Recording> RecordAsync(Func<Task<CliResult>> run)
    {
        _front.Take();
        (await run()).Succeeded();
        return _front.Take();
    }

    /// <summary>What clients asked since the last call.</summary>
    public Recording Take() => _front.Take();

    /// <summary>
    /// Runs the gateway's own command on its configuration, as an operator does beside the running one.
    /// </summary>
    public Task<CliResult> RunCommandAsync(params string[] arguments) =>
        GatewayProcess.RunCommandAsync([.. arguments, "--config", Process.ConfigurationFile]);

    /// <summary>Makes a personal or a robot token: <c>gateway token create</c>.</summary>
    public async Task<(string Id, string Secret)> CreateTokenAsync(params string[] arguments)
    {
        var created = await RunCommandAsync(["token", "create", "for-a-test", "--json", .. arguments]);
        using var json = JsonDocument.Parse(created.Succeeded());
        return (
            json.RootElement.GetProperty("token").GetProperty("id").GetString()!,
            json.RootElement.GetProperty("secret").GetString()!);
    }

    /// <summary>Waits until these credentials are accepted.</summary>
    public Task UntilAcceptedAsync(string user, string secret) => UntilAsync(user, secret, HttpStatusCode.OK);

    /// <summary>Waits until these credentials are refused.</summary>
    public Task UntilRefusedAsync(string user, string secret) => UntilAsync(user, secret, HttpStatusCode.Unauthorized);

    /// <summary>Waits until what was changed in a file or in the store has come to the running gateway.</summary>
    public static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await isSo())
        {
            // Files are looked at twice a second, revocations four times; the machine may be busy.
            Assert.True(
                Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(5), "the gateway has not noticed the change");
            await Task.Delay(TimeSpan.FromMilliseconds(50));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _front.DisposeAsync();
        await Process.DisposeAsync();
    }

    private Task UntilAsync(string user, string secret, HttpStatusCode status) => UntilAsync(async () =>
    {
        using var client = Process.CreateClient();
        client.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{secret}")));
        using var answer = await client.GetAsync(new Uri("/v2/", UriKind.Relative));
        return answer.StatusCode == status;
    });
}
