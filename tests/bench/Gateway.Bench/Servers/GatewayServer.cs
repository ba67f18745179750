using System.Globalization;
using System.Net;
using Gateway.Tests.Support;

namespace Gateway.Bench.Servers;

/// <summary>The published gateway, <c>gateway serve</c>.</summary>
internal sealed class GatewayServer : IAsyncDisposable
{
    private readonly ServerProcess _process;

    private GatewayServer(ServerProcess process, string folder, int port, int managementPort)
    {
        _process = process;
        Folder = folder;
        Address = new Uri(string.Create(CultureInfo.InvariantCulture, $"https://localhost:{port}"));
        Management = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{managementPort}"));
    }

    /// <summary>Its base URL.</summary>
    public Uri Address { get; }

    /// <summary>The base URL of its management listener.</summary>
    public Uri Management { get; }

    /// <summary>The folder of its files.</summary>
    public string Folder { get; }

    /// <summary>Its configuration.</summary>
    public string ConfigurationFile => Path.Combine(Folder, "gateway.yaml");

    /// <summary>The folder of its policies.</summary>
    public string PolicyFolder => PolicyFolderOf(Folder);

    /// <summary>The operating system's id of the process.</summary>
    public int Id => _process.Id;

    /// <summary>Starts one and waits until it says that it is ready.</summary>
    /// <param name="settings">Its configuration.</param>
    public static async Task<GatewayServer> StartAsync(GatewaySettings settings)
    {
        Directory.CreateDirectory(settings.Folder);
        var (port, management) = (FreePort.Next(), FreePort.Next());
        PolicyFiles.Write(PolicyFolderOf(settings.Folder), settings.Rules);
        var file = Path.Combine(settings.Folder, "gateway.yaml");
        await File.WriteAllTextAsync(file, settings.ToYaml(port, management));
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
        var ready = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{management}/readyz"));
        var process = await ServerProcess.StartAsync(
            "gateway", settings.Folder, () => IsReadyAsync(client, ready),
            Path.Combine(settings.Program, "gateway"), "serve", "--config", file);
        return new GatewayServer(process, settings.Folder, port, management);
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private static string PolicyFolderOf(string folder) => Path.Combine(folder, "policies");

    private static async Task<bool> IsReadyAsync(HttpClient client, Uri ready)
    {
        try
        {
            using var answer = await client.GetAsync(ready);
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException)
        {
            return false; // not listening yet, or busy
        }
    }
}
