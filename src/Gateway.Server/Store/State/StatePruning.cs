using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Store.State;

/// <summary>Forgets, once an hour, what ended long ago. Replicas may do it side by side.</summary>
internal sealed partial class StatePruning(ICredentialStore store, TimeProvider time, ILogger<StatePruning> logger)
    : BackgroundService
{
    /// <summary>
    /// How long what ended is still shown in lists. Longer than <see cref="RevocationFeed.Kept"/>: a replica that
    /// starts reads all that is kept.
    /// </summary>
    public static readonly TimeSpan Kept = TimeSpan.FromDays(30);

    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                if (await store.PruneAsync(time.GetUtcNow() - Kept, stoppingToken) is > 0 and var count)
                {
                    Log.Pruned(logger, count);
                }
            }
            catch (StateException)
            {
                // That the store is unavailable is the feed's to report; the next hour is as good.
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1130, LogLevel.Information,
            "{Count} tokens that expired or were revoked more than 30 days ago were deleted.")]
        public static partial void Pruned(ILogger logger, int count);
    }
}
