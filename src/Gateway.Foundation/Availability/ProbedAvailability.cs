namespace Gateway.Foundation.Availability;

/// <summary>
/// Whether another program can be asked. Once it failed, no request asks it again, for that one would wait; a probe
/// beside the requests finds out when it has recovered.
/// </summary>
/// <param name="backOff">The time before each probe.</param>
/// <param name="time">The clock.</param>
internal sealed class ProbedAvailability(BackOff backOff, TimeProvider time) : IDisposable, IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _ending = new();
    private Task _probing = Task.CompletedTask;
    private volatile bool _isLost;
    private bool _isEnding;

    /// <summary>Whether it can be asked.</summary>
    public bool IsUp => !_isLost;

    /// <summary>Says that it failed: from now on it is down, until a probe succeeds.</summary>
    /// <param name="probe">Asks it once. An exception, of whatever kind, says that it is still unavailable.</param>
    /// <param name="recovered">Called once it is up again.</param>
    /// <param name="first">What is done before the first probe, beside the requests.</param>
    /// <returns><see langword="false"/> where that was known, or the program ends.</returns>
    public bool TryLose(Func<CancellationToken, Task> probe, Action recovered, Func<Task>? first = null)
    {
        lock (_lock)
        {
            if (_isLost || _isEnding)
            {
                return false;
            }

            _isLost = true;
            _probing = Task.Run(
                () => ProbeUntilRecoveredAsync(probe, recovered, first ?? (static () => Task.CompletedTask)));
            return true;
        }
    }

    /// <summary>Ends the probing.</summary>
    public void Dispose()
    {
        End();
        _ending.Cancel();
    }

    /// <summary>Ends the probing, and waits until it has ended.</summary>
    public async ValueTask DisposeAsync()
    {
        End();
        await _ending.CancelAsync();
        await _probing;
    }

    private void End()
    {
        lock (_lock)
        {
            _isEnding = true;
        }
    }

    private async Task ProbeUntilRecoveredAsync(Func<CancellationToken, Task> probe, Action recovered, Func<Task> first)
    {
        try
        {
            await TryAsync(first);
            var failures = 0;
            do
            {
                failures++;
                await Task.Delay(backOff.After(failures), time, _ending.Token);
            }
            while (!await TryAsync(() => probe(_ending.Token)));
        }
        catch (Exception) when (_ending.IsCancellationRequested)
        {
            return; // the program ends
        }

        _isLost = false;
        recovered();
    }

    // Whatever the exception is: a loop that ended with it would keep the other program unused until the next start.
    private async Task<bool> TryAsync(Func<Task> action)
    {
        try
        {
            await action();
            return true;
        }
        catch (Exception) when (!_ending.IsCancellationRequested)
        {
            return false;
        }
    }
}
