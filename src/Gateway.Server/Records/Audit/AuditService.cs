using System.Reflection;
using System.Runtime.InteropServices;

namespace Gateway.Server.Records.Audit;

/// <summary>Frames the trail with a line at the start and one at the end, and opens the file anew on SIGHUP.</summary>
internal sealed partial class AuditService(
    AuditTrail trail, AuditOptions options, TimeProvider time, ILogger<AuditService> logger) : IHostedService,
    IDisposable
{
    private PosixSignalRegistration? _hangup;

    private static string Version => typeof(AuditService).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            context.Cancel = true; // a terminal that closes ends the process by SIGTERM or its own way, not by this
            trail.Reopen();
            Log.Reopened(logger);
        });
        trail.Record(new LifecycleEntry(time.GetUtcNow(), isStart: true, options, Version));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        trail.Record(new LifecycleEntry(time.GetUtcNow(), isStart: false, options, Version));
        trail.Dispose(); // the server has stopped before: no request is left
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public void Dispose() => _hangup?.Dispose();

    private static partial class Log
    {
        [LoggerMessage(1505, LogLevel.Information, "SIGHUP: the gateway reopens the audit file.")]
        public static partial void Reopened(ILogger logger);
    }
}
