using System.Diagnostics;

namespace Gateway.Tests.Support;

/// <summary>Waits for what another process or thread is about to do.</summary>
internal static class Eventually
{
    /// <summary>Asks again and again until the answer is yes.</summary>
    /// <returns>How long it took.</returns>
    public static async Task<TimeSpan> TrueAsync(Func<Task<bool>> condition, TimeSpan? limit = null)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            var elapsed = Stopwatch.GetElapsedTime(started);
            Assert.True(elapsed < (limit ?? TimeSpan.FromSeconds(30)), $"it was not so after {elapsed}");
            await Task.Delay(TimeSpan.FromMilliseconds(10));
        }

        return Stopwatch.GetElapsedTime(started);
    }

    /// <inheritdoc cref="TrueAsync(Func{Task{bool}}, TimeSpan?)"/>
    public static Task<TimeSpan> TrueAsync(Func<bool> condition, TimeSpan? limit = null) =>
        TrueAsync(() => Task.FromResult(condition()), limit);
}
