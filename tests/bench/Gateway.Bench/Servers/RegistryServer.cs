using System.Globalization;
using Gateway.Tests.Support;

namespace Gateway.Bench.Servers;

/// <summary>An unmodified <c>docker-registry</c> on loopback.</summary>
internal sealed class RegistryServer : IAsyncDisposable
{
    private readonly ServerProcess _process;

    private RegistryServer(ServerProcess process, Uri address)
    {
        _process = process;
        Address = address;
    }

    /// <summary>Its base URL.</summary>
    public Uri Address { get; }

    /// <summary>The operating system's id of the process.</summary>
    public int Id => _process.Id;

    /// <summary>Starts one.</summary>
    /// <param name="folder">The folder for its configuration and log; it is made.</param>
    /// <param name="data">The folder of its storage, which several may share.</param>
    /// <param name="certificates">With this folder of tls.crt and tls.key it speaks TLS.</param>
    /// <param name="users">With this htpasswd file it asks for a password.</param>
    /// <param name="logsRequests">Whether it writes a line for each request to its standard output.</param>
    public static async Task<RegistryServer> StartAsync(
        string folder, string data, string? certificates = null, string? users = null, bool logsRequests = false)
    {
        Directory.CreateDirectory(folder);
        var port = FreePort.Next();
        var tls = certificates is null
            ? ""
            : $"\n  tls: {{ certificate: {certificates}/tls.crt, key: {certificates}/tls.key }}";
        var auth = users is null ? "" : $"auth: {{ htpasswd: {{ realm: bench, path: {users} }} }}";
        var file = Path.Combine(folder, "config.yml");
        await File.WriteAllTextAsync(file, string.Create(CultureInfo.InvariantCulture, $"""
            version: 0.1
            log: {"{"} level: warn, accesslog: {"{"} disabled: {(logsRequests ? "false" : "true")} {"}"} {"}"}
            storage:
              filesystem: {"{"} rootdirectory: {data} {"}"}
              delete: {"{"} enabled: true {"}"}
              maintenance: {"{"} uploadpurging: {"{"} enabled: false {"}"} {"}"}
            http:
              addr: 127.0.0.1:{port}
              secret: bench{tls}
            {auth}

            """));
        var process = await ServerProcess.StartAsync(
            "docker-registry", folder, () => ServerProcess.ListensAsync(port), "docker-registry", "serve", file);
        var scheme = certificates is null ? "http" : "https";
        return new RegistryServer(
            process, new Uri(string.Create(CultureInfo.InvariantCulture, $"{scheme}://localhost:{port}")));
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
