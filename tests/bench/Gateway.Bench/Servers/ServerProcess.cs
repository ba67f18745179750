using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;

namespace Gateway.Bench.Servers;

/// <summary>A server that the bench runs, in a folder of its own. Dispose ends it.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan ReadyLimit = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(20);

    private readonly Process _process;
    private readonly string _name;
    private readonly string _logFile;
    private readonly Task _log;

    private ServerProcess(Process process, string name, string folder)
    {
        _process = process;
        _name = name;
        _logFile = Path.Combine(folder, "server.log");
        _log = CopyLogAsync();
    }

    /// <summary>The operating system's id of the process.</summary>
    public int Id => _process.Id;

    /// <summary>Starts a program and waits until it is ready.</summary>
    /// <param name="name">What messages call it.</param>
    /// <param name="folder">Its working folder, which also gets its log.</param>
    /// <param name="isReady">Asked until it says so, for five minutes at most.</param>
    /// <param name="command">The program and its arguments.</param>
    /// <exception cref="BenchException">It ended, or did not get ready; the message has its log.</exception>
    public static async Task<ServerProcess> StartAsync(
        string name, string folder, Func<Task<bool>> isReady, params string[] command)
    {
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        var server = new ServerProcess(Process.Start(start)!, name, folder);
        try
        {
            // For tests/bench/run, which ends what is left if this program is killed.
            await File.AppendAllTextAsync(
                Path.Combine(folder, "..", "processes"), $"{server.Id.ToString(CultureInfo.InvariantCulture)}\n");
            await server.WaitAsync(isReady);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Whether something accepts connections on this port of 127.0.0.1.</summary>
    public static async Task<bool> ListensAsync(int port)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync("127.0.0.1", port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _ = Signals.Terminate(Id);
            using var limit = new CancellationTokenSource(StopLimit);
            try
            {
                await _process.WaitForExitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill(entireProcessTree: true);
                await _process.WaitForExitAsync(CancellationToken.None);
            }
        }

        await _log;
        File.Delete(Machine.Profile.MapOf(Id)); // of a profiled run
        _process.Dispose();
    }

    private async Task WaitAsync(Func<Task<bool>> isReady)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await isReady())
        {
            if (_process.HasExited || Stopwatch.GetElapsedTime(started) > ReadyLimit)
            {
                throw new BenchException(
                    $"{_name} {(_process.HasExited ? "ended" : "did not get ready")}. Its log:\n{ReadLog()}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10));
        }
    }

    private string ReadLog()
    {
        using var file = new FileStream(_logFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(file);
        return reader.ReadToEnd();
    }

    private async Task CopyLogAsync()
    {
        await using var file = new FileStream(_logFile, FileMode.Create, FileAccess.Write, FileShare.Read);
        await Task.WhenAll(CopyAsync(_process.StandardOutput, file), CopyAsync(_process.StandardError, file));
    }

    private static async Task CopyAsync(StreamReader from, FileStream to)
    {
        while (await from.ReadLineAsync() is { } line)
        {
            lock (to)
            {
                to.Write(System.Text.Encoding.UTF8.GetBytes(line + "\n"));
                to.Flush();
            }
        }
    }
}
