namespace Gateway.Server.Requests.Reloading;

/// <summary>Looks twice a second whether files changed and has their owners read them again.</summary>
internal sealed partial class FileReloadService(
    IEnumerable<IReloadable> reloadables, TimeProvider time, ILogger<FileReloadService> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            foreach (var reloadable in reloadables)
            {
                try
                {
                    LoadedMemory.CollectAfter(reloadable.ReloadIfChanged);
                }
                catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
                {
                    Log.Unreadable(logger, reloadable.Name, exception.Message);
                }
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1603, LogLevel.Error,
            "{Name} could not be read; the last good version stays in force. {Problem}")]
        public static partial void Unreadable(ILogger logger, string name, string problem);
    }
}
