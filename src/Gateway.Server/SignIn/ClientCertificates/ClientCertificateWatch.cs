using Gateway.Server.Requests.Reloading;

namespace Gateway.Server.SignIn.ClientCertificates;

/// <summary>Logs which authorities and revocation lists expire: when they are read, and once a day.</summary>
internal sealed partial class ClientCertificateWatch(
    Reloadable<ClientCertificateTrust> trust, TimeProvider time, ILogger<ClientCertificateWatch> logger)
        : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromDays(1);

    /// <inheritdoc/>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        trust.Changed += Warn;
        Warn(trust.Current);
        return base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override Task StopAsync(CancellationToken cancellationToken)
    {
        trust.Changed -= Warn;
        return base.StopAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            Warn(trust.Current);
        }
    }

    private void Warn(ClientCertificateTrust files)
    {
        foreach (var warning in files.Warnings(time.GetUtcNow()))
        {
            Log.RunsOut(logger, warning.ToString());
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1042, LogLevel.Warning,
            "Client certificates may be refused; other ways to sign in are not affected. {Problem}")]
        public static partial void RunsOut(ILogger logger, string problem);
    }
}
