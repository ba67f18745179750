using System.Diagnostics;
using System.Globalization;

namespace Gateway.EndToEndTests.Support;

/// <summary>A server that a test runs: its output goes to a file, and it is ended by its own process id.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _name;
    private readonly string _logFile;
    private readonly Task _log;
    private readonly TimeSpan _grace;

    private ServerProcess(Process process, string name, string logFile, TimeSpan grace)
    {
        _process = process;
        _name = name;
        _logFile = logFile;
        _grace = grace;
        _log = CopyLogAsync();
    }

    /// <summary>The operating system's id of the process.</summary>
    public int Id => _process.Id;

    /// <summary>Whether it has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>The exit code, once it has ended.</summary>
    public int ExitCode => _process.ExitCode;

    /// <summary>What it has written so far.</summary>
    public string Log
    {
        get
        {
            using var file = new FileStream(_logFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var reader = new StreamReader(file);
            return reader.ReadToEnd();
        }
    }

    /// <param name="name">What the log is called.</param>
    /// <param name="start">The program; its streams are redirected here.</param>
    /// <param name="logFile">The file for its output.</param>
    /// <param name="grace">How long it may take to end after SIGTERM before it is killed.</param>
    public static ServerProcess Start(string name, ProcessStartInfo start, string logFile, TimeSpan grace)
    {
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.UseShellExecute = false;
        return new ServerProcess(Process.Start(start)!, name, logFile, grace);
    }

    /// <summary>Waits until <paramref name="isReady"/> says so.</summary>
    /// <exception cref="InvalidOperationException">It ended, or the time passed; the message has its log.</exception>
    public async Task WaitUntilReadyAsync(Func<Task<bool>> isReady, TimeSpan limit)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await isReady())
        {
            if (HasExited || Stopwatch.GetElapsedTime(started) > limit)
            {
                var end = HasExited
                    ? string.Create(CultureInfo.InvariantCulture, $"ended with {ExitCode}")
                    : "did not get ready";
                throw new InvalidOperationException($"{_name} {end}. Its log:\n{Log}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50));
        }
    }

    /// <summary>Asks it to end, and waits.</summary>
    public async Task StopAsync()
    {
        if (!HasExited)
        {
            await SignalAsync("TERM");
            await WaitForExitAsync();
        }

        await _log;
    }

    /// <summary>Sends a signal, by the name that <c>kill</c> knows.</summary>
    /// <remarks>.NET can only kill; a server that is killed leaves mounts, sockets and children behind.</remarks>
    public async Task SignalAsync(string signal) => (await Cli.RunAsync(
        "sh", ["-c", "kill -\"$1\" \"$2\"", "sh", signal, Id.ToString(CultureInfo.InvariantCulture)])).Succeeded();

    /// <summary>Waits until it has ended; kills it after its grace.</summary>
    public async Task WaitForExitAsync()
    {
        using var limit = new CancellationTokenSource(_grace);
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

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        TestPaths.KeepLog(_logFile, _name);
        _process.Dispose();
        if (_name == GatewayProcess.Name)
        {
            Secrets.AssertNotIn(Log);
        }
    }

    private async Task CopyLogAsync()
    {
        await using var file = new FileStream(_logFile, FileMode.Create, FileAccess.Write, FileShare.Read);
        using var writing = new SemaphoreSlim(1);
        await Task.WhenAll(
            CopyAsync(_process.StandardOutput.BaseStream, file, writing),
            CopyAsync(_process.StandardError.BaseStream, file, writing));
    }

    private static async Task CopyAsync(Stream from, FileStream to, SemaphoreSlim writing)
    {
        var buffer = new byte[16 * 1024];
        int read;
        while ((read = await from.ReadAsync(buffer)) > 0)
        {
            await writing.WaitAsync();
            try
            {
                await to.WriteAsync(buffer.AsMemory(0, read));
                await to.FlushAsync();
            }
            finally
            {
                writing.Release();
            }
        }
    }
}
