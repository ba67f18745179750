using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;

namespace Gateway.Server.Host.Hosting;

/// <summary>Gives memory back to the system after many connections were closed.</summary>
/// <remarks>
/// An idle TLS connection takes some 37 KiB, of which OpenSSL has 26 (docs/performance-notes-connections.md). When
/// thousands are closed, nothing by itself gives this back: the C library keeps what OpenSSL freed, and the garbage
/// collector waits for allocations that do not come.
/// </remarks>
/// <param name="running">The requests that are running now.</param>
/// <param name="time">The clock.</param>
internal sealed partial class MemoryReturn(RunningRequests running, TimeProvider time) : BackgroundService
{
    /// <summary>How many connections fewer are worth it: some 10 MiB.</summary>
    public const int Many = 256;

    /// <summary>How long it waits before each look: those that are closed together are closed within seconds.</summary>
    public static readonly TimeSpan Calm = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _closed = new(0);
    private int _open;
    private int _most; // the most that were open since the last time
    private int _isAwake;

    /// <summary>How often memory was given back.</summary>
    public int Returns { get; private set; }

    /// <summary>How many connections are open.</summary>
    public int Open => Volatile.Read(ref _open);

    /// <summary>Counts a connection while it is served.</summary>
    public async Task ServeAsync(ConnectionContext connection, ConnectionDelegate serve)
    {
        Opened();
        try
        {
            await serve(connection);
        }
        finally
        {
            Closed();
        }
    }

    /// <summary>A connection was opened.</summary>
    public void Opened()
    {
        var open = Interlocked.Increment(ref _open);
        if (open > Volatile.Read(ref _most))
        {
            Volatile.Write(ref _most, open); // two at once may lose one; it is a measure, no count
        }
    }

    /// <summary>A connection was closed.</summary>
    public void Closed()
    {
        if (Volatile.Read(ref _most) - Interlocked.Decrement(ref _open) >= Many
            && Interlocked.Exchange(ref _isAwake, 1) == 0)
        {
            _closed.Release();
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _closed.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await _closed.WaitAsync(stoppingToken); // nothing wakes a gateway where nothing was closed
            int before;
            do
            {
                before = Open;
                await Task.Delay(Calm, time, stoppingToken);
            }
            while (before - Open >= Many); // still closing

            Volatile.Write(ref _isAwake, 0);
            Volatile.Write(ref _most, Open);
            Return(running.Count == 0);
            Returns++;
        }
    }

    // Whole and at once only where nobody waits for an answer: it stops all threads for a moment.
    private static void Return(bool isIdle)
    {
        if (isIdle)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
        else
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Optimized, blocking: false);
        }

        try
        {
            _ = Trim(0);
        }
        catch (EntryPointNotFoundException)
        {
            // another C library (musl), which keeps less
        }
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int Trim(nint pad);
}
