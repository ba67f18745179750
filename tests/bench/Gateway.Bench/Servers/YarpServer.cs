using System.Globalization;
using Gateway.Tests.Support;

namespace Gateway.Bench.Servers;

/// <summary>Bare YARP with TLS: the project beside this one.</summary>
internal sealed class YarpServer : IAsyncDisposable
{
    private readonly ServerProcess _process;

    private YarpServer(ServerProcess process, Uri address)
    {
        _process = process;
        Address = address;
    }

    /// <summary>Its base URL.</summary>
    public Uri Address { get; }

    /// <summary>The operating system's id of the process.</summary>
    public int Id => _process.Id;

    /// <summary>Starts one.</summary>
    /// <param name="folder">The folder for its log; it is made.</param>
    /// <param name="build">The folder of the built host.</param>
    /// <param name="upstream">The registry's base URL.</param>
    /// <param name="certificates">The folder of tls.crt and tls.key.</param>
    public static async Task<YarpServer> StartAsync(string folder, string build, Uri upstream, string certificates)
    {
        Directory.CreateDirectory(folder);
        var port = FreePort.Next();
        var process = await ServerProcess.StartAsync(
            "bare YARP", folder, () => ServerProcess.ListensAsync(port),
            "dotnet", Path.Combine(build, "Gateway.Bench.Yarp.dll"), port.ToString(CultureInfo.InvariantCulture),
            string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{upstream.Port}"),
            Path.Combine(certificates, "tls.crt"), Path.Combine(certificates, "tls.key"));
        return new YarpServer(
            process, new Uri(string.Create(CultureInfo.InvariantCulture, $"https://localhost:{port}")));
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
