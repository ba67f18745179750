using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Gateway.Tests.Support;

namespace Gateway.Bench.Servers;

/// <summary>A <c>redis-server</c> on loopback, which writes to disk each second as the gateway asks for.</summary>
internal sealed class RedisServer : IAsyncDisposable
{
    private readonly ServerProcess _process;
    private readonly int _port;

    private RedisServer(ServerProcess process, int port)
    {
        _process = process;
        _port = port;
    }

    /// <summary>Host and port.</summary>
    public string Address => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_port}");

    /// <summary>The operating system's id of the process.</summary>
    public int Id => _process.Id;

    /// <summary>Starts one in a folder, which is made.</summary>
    public static async Task<RedisServer> StartAsync(string folder)
    {
        Directory.CreateDirectory(folder);
        var port = FreePort.Next();
        var process = await ServerProcess.StartAsync(
            "redis-server", folder, () => ServerProcess.ListensAsync(port),
            "redis-server", "--port", port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1",
            "--dir", folder, "--save", "", "--appendonly", "yes", "--appendfsync", "everysec");
        return new RedisServer(process, port);
    }

    /// <summary>How many scripts it was asked to run since its start: each is one round trip of a limit.</summary>
    public async Task<long> CountScriptsAsync() => (await InformationAsync("commandstats"))
        .Where(static line => line.StartsWith("cmdstat_eval", StringComparison.Ordinal)
            || line.StartsWith("cmdstat_fcall", StringComparison.Ordinal))
        .Sum(static line => long.Parse(line.Split("calls=")[1].Split(',')[0], CultureInfo.InvariantCulture));

    /// <summary>How many commands it processed since its start, this one included.</summary>
    public async Task<long> CountCommandsAsync() => (await InformationAsync("stats"))
        .Where(static line => line.StartsWith("total_commands_processed:", StringComparison.Ordinal))
        .Sum(static line => long.Parse(line.Split(':')[1], CultureInfo.InvariantCulture));

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private async Task<IReadOnlyList<string>> InformationAsync(string section)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", _port);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"INFO {section}\r\nQUIT\r\n"));
        using var reader = new StreamReader(stream);
        return (await reader.ReadToEndAsync()).Split("\r\n");
    }
}
