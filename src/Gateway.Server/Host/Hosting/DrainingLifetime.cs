using System.Runtime.InteropServices;
using Gateway.Server.Host.Configuration;
using Microsoft.Extensions.Options;

namespace Gateway.Server.Host.Hosting;

/// <summary>
/// Ends the program on SIGTERM or Ctrl-C: <c>/readyz</c> says so at once, requests are served on for the delay, running
/// ones finish within the limit, and only then does it stop to listen. A second signal ends it without waiting.
/// </summary>
internal sealed partial class DrainingLifetime(
    RunningRequests running,
    GatewayOptions options,
    IOptions<HostOptions> host,
    IHostApplicationLifetime application,
    TimeProvider time,
    ILogger<DrainingLifetime> logger) : IHostLifetime, IDisposable
{
    // For what is left once no request is: closing connections, writing down what is only in memory.
    private static readonly TimeSpan LastSteps = TimeSpan.FromSeconds(10);

    private readonly List<PosixSignalRegistration> _signals = [];
    private int _asked;

    /// <inheritdoc/>
    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        foreach (var signal in new[] { PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGQUIT })
        {
            _signals.Add(PosixSignalRegistration.Create(signal, OnSignal));
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var signal in _signals)
        {
            signal.Dispose();
        }
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true; // the process ends when it is ready to
        if (Interlocked.Increment(ref _asked) == 1)
        {
            _ = Task.Run(EndAsync);
        }
        else
        {
            Log.AskedAgain(logger);
            Stop(TimeSpan.Zero);
        }
    }

    private async Task EndAsync()
    {
        var shutdown = options.Shutdown;
        running.BeginEnding();
        Log.Ending(logger, shutdown.Delay, running.Count, shutdown.Drain);
        var left = TimeSpan.Zero;
        try
        {
            await Task.Delay(shutdown.Delay, time, application.ApplicationStopping);
            var started = time.GetTimestamp();
            if (await running.WaitAsync(shutdown.Drain, application.ApplicationStopping) is > 0 and var count)
            {
                Log.CutOff(logger, count, shutdown.Drain);
            }
            else
            {
                // for those that came while others were waited for
                left = shutdown.Drain - time.GetElapsedTime(started);
            }
        }
        catch (OperationCanceledException)
        {
            return; // it stops already
        }

        Stop(left);
    }

    private void Stop(TimeSpan left)
    {
        left = left > TimeSpan.Zero ? left : TimeSpan.Zero;
        running.CutAfter(left);
        host.Value.ShutdownTimeout = left + LastSteps;
        application.StopApplication();
    }

    private static partial class Log
    {
        [LoggerMessage(1710, LogLevel.Information,
            "Stopping. /readyz answers 503 from now on; the gateway accepts requests for another {Delay}, "
            + "and the {Count} running ones then have {Drain} to finish.")]
        public static partial void Ending(ILogger logger, TimeSpan delay, long count, TimeSpan drain);

        [LoggerMessage(1711, LogLevel.Warning,
            "{Count} requests did not finish within {Drain} and are aborted; clients can repeat them elsewhere. "
            + "See shutdown.drain.")]
        public static partial void CutOff(ILogger logger, long count, TimeSpan drain);

        [LoggerMessage(1712, LogLevel.Warning, "Told to stop again: running requests are aborted.")]
        public static partial void AskedAgain(ILogger logger);
    }
}
