using Gateway.Server.Requests.Reloading;

namespace Gateway.Server.Requests.Tls;

/// <summary>Logs what is wrong with the certificates in force: all when they are read, expiry once a day.</summary>
internal sealed partial class CertificateWatch(
    Reloadable<CertificateSet> certificates, TimeProvider time, ILogger<CertificateWatch> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromDays(1);

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        certificates.Changed += WarnOfAll;
        WarnOfAll(certificates.Current);
        return base.StartAsync(cancellationToken);
    }

    public override Task StopAsync(CancellationToken cancellationToken)
    {
        certificates.Changed -= WarnOfAll;
        return base.StopAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            WarnOfExpiry(certificates.Current);
        }
    }

    private void WarnOfAll(CertificateSet set)
    {
        foreach (var warning in set.Warnings)
        {
            Log.Flawed(logger, warning.ToString());
        }

        WarnOfExpiry(set);
    }

    private void WarnOfExpiry(CertificateSet set)
    {
        foreach (var warning in set.ExpiryWarnings(time.GetUtcNow()))
        {
            Log.Flawed(logger, warning.ToString());
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1701, LogLevel.Warning, "The certificate is served, but clients may refuse it. {Problem}")]
        public static partial void Flawed(ILogger logger, string problem);
    }
}
