using System.Diagnostics;
using System.Globalization;

namespace Gateway.EndToEndTests.Support;

/// <summary>
/// A real <c>redis-server</c> that writes what it answers to disk first (<c>appendfsync always</c>), and can be killed
/// and started again.
/// </summary>
internal sealed class RedisProcess : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-redis-").FullName;
    private readonly int _port = TestPaths.FreePort();
    private Process? _process;

    /// <summary>Host and port.</summary>
    public string Address => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_port}");

    /// <summary>Starts it and waits until it has read its file and listens.</summary>
    public async Task StartAsync()
    {
        var start = new ProcessStartInfo(
            "redis-server",
            [
                "--port", _port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--dir", _folder,
                "--save", "",
                "--appendonly", "yes", "--appendfsync", "always",
            ])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        _process = Process.Start(start)!;
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.Contains("Ready to accept connections", StringComparison.Ordinal))
            {
                _ = _process.StandardOutput.ReadToEndAsync(); // so that it never waits for somebody to read
                return;
            }
        }

        throw new InvalidOperationException($"redis-server ended before it listened on port {_port}");
    }

    /// <summary>Sends SIGKILL and waits for its end.</summary>
    public async Task KillAsync()
    {
        if (_process is { } process)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
            _process = null;
        }
    }

    /// <summary>Sends a signal: STOP makes it hang, CONT goes on.</summary>
    public async Task SignalAsync(string name) => (await Cli.RunAsync(
        "kill", ["-" + name, _process!.Id.ToString(CultureInfo.InvariantCulture)])).Succeeded();

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
