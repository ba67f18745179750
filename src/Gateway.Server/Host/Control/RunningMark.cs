using Gateway.Foundation.Files;
using Gateway.Server.Host.Configuration;
using Microsoft.Win32.SafeHandles;

namespace Gateway.Server.Host.Control;

/// <summary>
/// Shows the commands of this machine that a gateway runs with a configuration, wherever it keeps its state: a lock on
/// the configuration's file, from when everything is open until it begins to end.
/// </summary>
/// <remarks>
/// It needs the same file on the same kernel: containers that mount it see it, copies of it and other machines do not.
/// Nor does a command that reads a file which was put in its place since the gateway's start.
/// </remarks>
internal sealed class RunningMark(GatewayOptions options) : IHostedLifecycleService, IDisposable
{
    // One byte behind all that a configuration has, so that a program that locks the file for editing does not meet it.
    private const long Start = 0x52477374;

    private SafeFileHandle? _held;

    /// <summary>
    /// Whether a gateway runs with a configuration; <see langword="false"/> also where that cannot be told.
    /// </summary>
    public static bool IsSeen(GatewayOptions options)
    {
        try
        {
            return options.File is { } file && FileLock.IsHeld(file, Start, 1);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        _held = options.File is { } file ? FileLock.TryShare(file, Start, 1) : null;
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public void Dispose() => _held?.Dispose();
}
