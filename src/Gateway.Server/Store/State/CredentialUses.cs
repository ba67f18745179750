using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Store.State;

/// <summary>Gathers uses of credentials and writes them every few seconds: the latest of each, not every one.</summary>
internal sealed class CredentialUses(ICredentialStore store, TimeProvider time, int capacity = 10_000)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestFarewell = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private Dictionary<string, CredentialUse> _uses = [];

    /// <summary>
    /// Notes a use. Where too many different ones wait, as while the store is unavailable, further ones are not noted.
    /// </summary>
    public void Record(CredentialUse use)
    {
        lock (_gate)
        {
            Record_NeedsLock(use);
        }
    }

    /// <summary>Writes what waits; what could not be written goes on waiting.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        Dictionary<string, CredentialUse> uses;
        lock (_gate)
        {
            (uses, _uses) = (_uses, []);
        }

        if (uses.Count == 0)
        {
            return;
        }

        try
        {
            await store.RecordUsesAsync(uses.Values, cancellationToken);
        }
        catch (Exception exception) when (exception is StateException or OperationCanceledException)
        {
            lock (_gate)
            {
                foreach (var use in uses.Values)
                {
                    Record_NeedsLock(use); // that the store is unavailable is the feed's to report
                }
            }
        }
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        using var limit = new CancellationTokenSource(LongestFarewell, time);
        await FlushAsync(limit.Token);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            await FlushAsync(stoppingToken);
        }
    }

    private void Record_NeedsLock(CredentialUse use)
    {
        if (_uses.TryGetValue(use.Id, out var known) ? use.At >= known.At : _uses.Count < capacity)
        {
            _uses[use.Id] = use;
        }
    }
}
