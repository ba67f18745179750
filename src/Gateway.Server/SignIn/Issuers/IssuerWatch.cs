namespace Gateway.Server.SignIn.Issuers;

/// <summary>
/// Keeps the issuers' documents fresh beside the requests, from the start on; an unavailable issuer blocks nothing.
/// </summary>
internal sealed class IssuerWatch(IEnumerable<IssuerMetadata> issuers, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private readonly IssuerMetadata[] _issuers = [.. issuers];

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_issuers.Length == 0)
        {
            return;
        }

        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            await Task.WhenAll(_issuers.Select(static issuer => issuer.KeepFreshAsync()));
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}
