using Gateway.Foundation.Configuration;
using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Store.Keys;

/// <summary>
/// Does automatically what is due: makes the successor of a key that is old enough, where that is configured, removes
/// keys that nobody needs any more, and keeps the files for registries current.
/// </summary>
internal sealed partial class SigningKeyService(
    ISigningKeyStore store,
    SigningKeySchedule schedule,
    TimeProvider time,
    ILogger<SigningKeyService> logger) : BackgroundService
{
    // Far below the day that keys live at least; a clock that was set is noticed as well.
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private string? _problem;

    /// <summary>Does what is due now.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            // Asked without the lock first: nearly always nothing is due. Under it the same question is asked again,
            // so that of several replicas one acts.
            if (!schedule.Due(await store.ReadAsync(cancellationToken)).IsNone)
            {
                var change = await store.ChangeAsync(schedule.Due, cancellationToken);
                if (change.Added is { } added)
                {
                    Log.Rotated(logger, added.Id, added.ActiveFrom);
                }

                foreach (var removed in change.Removed)
                {
                    Log.Removed(logger, removed.Id);
                }
            }

            (store as KeyFolder)?.UpdateDerivedFiles();
            _problem = null;
        }
        catch (Exception exception) when (exception is
            ProblemException or StateException or IOException or UnauthorizedAccessException)
        {
            if (_problem != exception.Message) // once, not every minute
            {
                Log.Failed(logger, exception.Message);
            }

            _problem = exception.Message;
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            await RunAsync(stoppingToken);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private static partial class Log
    {
        [LoggerMessage(1111, LogLevel.Information, "Signing key {Id} was created and signs from {ActiveFrom:O} on.")]
        public static partial void Rotated(ILogger logger, string id, DateTimeOffset activeFrom);

        [LoggerMessage(1112, LogLevel.Information,
            "Signing key {Id} was removed: nothing that it signed can still be valid.")]
        public static partial void Removed(ILogger logger, string id);

        [LoggerMessage(1113, LogLevel.Error,
            "Signing key maintenance failed; the current keys stay in force. "
            + "The gateway tries again in a minute. {Problem}")]
        public static partial void Failed(ILogger logger, string problem);
    }
}
