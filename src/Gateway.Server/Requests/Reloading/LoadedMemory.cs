namespace Gateway.Server.Requests.Reloading;

/// <summary>Gives memory back to the system after much was read.</summary>
/// <remarks>
/// A hundred thousand rules leave as much garbage as they keep, spread over a heap that would stay at its largest size:
/// the collector has no reason to look again, as a gateway allocates little while it is idle. Measured in
/// docs/performance-notes-policy.md.
/// </remarks>
internal static class LoadedMemory
{
    /// <summary>
    /// What a reload may allocate without more ado: an htpasswd file or certificates. The collection stops requests
    /// while it runs.
    /// </summary>
    private const long Worthwhile = 16L * 1024 * 1024;

    /// <summary>Does something, and collects what it left if that was much.</summary>
    public static void CollectAfter(Action load)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        load();
        if (GC.GetAllocatedBytesForCurrentThread() - before > Worthwhile)
        {
            Collect();
        }
    }

    /// <summary>Collects, compacts and gives back what is free.</summary>
    public static void Collect() =>
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
}
