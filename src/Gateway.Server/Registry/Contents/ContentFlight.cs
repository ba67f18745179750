namespace Gateway.Server.Registry.Contents;

/// <summary>
/// A request that is on its way upstream for a content (its leader's), and those that wait for what it brings.
/// </summary>
/// <param name="key">What is asked.</param>
/// <param name="upstreamRepository">The repository as the upstream calls it.</param>
/// <param name="startedAt">When it began, as a time stamp of <see cref="TimeProvider"/>.</param>
internal sealed class ContentFlight(ContentKey key, string upstreamRepository, long startedAt)
{
    private readonly TaskCompletionSource<FlightEnd> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What is asked.</summary>
    public ContentKey Key { get; } = key;

    /// <summary>The repository as the upstream calls it.</summary>
    public string UpstreamRepository { get; } = upstreamRepository;

    /// <summary>When it began.</summary>
    public long StartedAt { get; } = startedAt;

    /// <summary>The room that is held for its body, in bytes; under the store's lock.</summary>
    public int Reserved { get; set; }

    /// <summary>
    /// Whether something was deleted meanwhile that it may have read before: what it brings is not kept. Under the
    /// store's lock.
    /// </summary>
    public bool IsDoomed { get; set; }

    /// <summary>What came of it.</summary>
    public Task<FlightEnd> Ended => _end.Task;

    /// <summary>Tells those who wait; only the first word counts.</summary>
    public bool TryEnd(FlightEnd end) => _end.TrySetResult(end);
}

/// <summary>What came of a flight.</summary>
/// <param name="Result">What to do now.</param>
/// <param name="Content">The content, where there is one.</param>
internal readonly record struct FlightEnd(FlightResult Result, CachedContent? Content = null);

/// <summary>What those who waited do now.</summary>
internal enum FlightResult
{
    /// <summary>Take the content.</summary>
    Stored,

    /// <summary>Forward your own request: the answer is none to keep.</summary>
    Unfit,

    /// <summary>Tell your client that the registry's content is corrupt.</summary>
    Corrupt,

    /// <summary>Look again: the leader's client left, or something was deleted meanwhile.</summary>
    Again,
}
