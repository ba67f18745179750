using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Requests.Reloading;

/// <summary>Looks twice a second whether files changed and has their owners read them again.</summary>
internal sealed partial class FileReloadService(
    IEnumerable<IReloadable> reloadables, TimeProvider time, ILogger<FileReloadService> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (var pulse = Pulse.Listen(time); ;)
        {
            await pulse.WaitAsync(stoppingToken);
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
