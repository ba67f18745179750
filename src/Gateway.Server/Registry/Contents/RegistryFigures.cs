namespace Gateway.Server.Registry.Contents;

/// <summary>What is counted of a registry's contents. Counting takes no lock and allocates nothing.</summary>
/// <param name="name">The registry's name.</param>
internal sealed class RegistryFigures(string name)
{
    /// <summary>The labels of results, by their numbers.</summary>
    public static readonly string[] Results = ContentNames.Of<ContentResult>();

    /// <summary>The labels of outcomes, by their numbers.</summary>
    public static readonly string[] Outcomes = ContentNames.Of<ContentOutcome>();

    /// <summary>The labels of ends, by their numbers.</summary>
    public static readonly string[] Ends = ContentNames.Of<ContentEnd>();

    private readonly long[] _results = new long[Results.Length];
    private readonly long[] _outcomes = new long[Outcomes.Length];
    private readonly long[] _ends = new long[Ends.Length];
    private long _bytes;
    private long _entries;

    /// <summary>The registry's name.</summary>
    public string Name { get; } = name;

    /// <summary>The memory that its contents take, in bytes.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>How many there are.</summary>
    public long Entries => Volatile.Read(ref _entries);

    /// <summary>Counts a request.</summary>
    public void Count(ContentResult result) => Interlocked.Increment(ref _results[(int)result]);

    /// <summary>Counts an answer that might have been kept.</summary>
    public void Count(ContentOutcome outcome) => Interlocked.Increment(ref _outcomes[(int)outcome]);

    /// <summary>Counts a content that is kept no longer.</summary>
    public void Count(ContentEnd end) => Interlocked.Increment(ref _ends[(int)end]);

    /// <summary>What is kept became more or less.</summary>
    public void Change(int entries, long bytes)
    {
        Interlocked.Add(ref _entries, entries);
        Interlocked.Add(ref _bytes, bytes);
    }

    /// <summary>How many requests had a result.</summary>
    public long Read(ContentResult result) => Volatile.Read(ref _results[(int)result]);

    /// <summary>How many answers had an outcome.</summary>
    public long Read(ContentOutcome outcome) => Volatile.Read(ref _outcomes[(int)outcome]);

    /// <summary>How many contents had an end.</summary>
    public long Read(ContentEnd end) => Volatile.Read(ref _ends[(int)end]);
}
