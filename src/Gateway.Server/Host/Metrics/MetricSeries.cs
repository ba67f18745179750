namespace Gateway.Server.Host.Metrics;

/// <summary>The values of one metric under one set of labels. Recording takes no lock.</summary>
internal sealed class MetricSeries(double[]? bounds)
{
    private readonly long[]? _buckets = bounds is null ? null : new long[bounds.Length + 1];
    private double _value;

    /// <summary>A counter's or gauge's value; a histogram's sum.</summary>
    public double Value => Volatile.Read(ref _value);

    /// <summary>Adds to a counter or a gauge.</summary>
    public void Add(double value)
    {
        var current = Volatile.Read(ref _value);
        while (true)
        {
            var seen = Interlocked.CompareExchange(ref _value, current + value, current);
            if (seen.Equals(current))
            {
                return;
            }

            current = seen;
        }
    }

    /// <summary>Puts a value into its bucket of a histogram.</summary>
    public void Observe(double value)
    {
        var bucket = 0;
        while (bucket < bounds!.Length && value > bounds[bucket])
        {
            bucket++;
        }

        Interlocked.Increment(ref _buckets![bucket]);
        Add(value);
    }

    /// <summary>How many values fell into each bucket alone; the last one has no bound.</summary>
    public long[] ReadBuckets()
    {
        var copy = new long[_buckets!.Length];
        for (var i = 0; i < copy.Length; i++)
        {
            copy[i] = Volatile.Read(ref _buckets[i]);
        }

        return copy;
    }
}
