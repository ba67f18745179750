using System.Collections.Concurrent;
using System.Globalization;

namespace Gateway.Server.Host.Metrics;

/// <summary>One metric with its series.</summary>
internal sealed class MetricFamily(MetricDefinition definition)
{
    /// <summary>
    /// No list of labels here comes near it. It bounds the memory should a label ever turn out to be a client's choice.
    /// </summary>
    public const int MostSeries = 1_000;

    // A status is in every request's measurement; its text is made once.
    private const int Numbers = 600;

    private static readonly string?[] NumberTexts = new string?[Numbers];

    private readonly ConcurrentDictionary<LabelValues, MetricSeries> _series = new();
    private long _dropped;

    /// <summary>What it is.</summary>
    public MetricDefinition Definition { get; } = definition;

    /// <summary>Measurements that found no room.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    /// <summary>Its series in an order that does not change from one reading to the next.</summary>
    public IEnumerable<KeyValuePair<LabelValues, MetricSeries>> Series => _series.OrderBy(static pair => pair.Key);

    /// <summary>Takes a measurement.</summary>
    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new LabelValues(Find(tags, 0), Find(tags, 1), Find(tags, 2));
        if (!_series.TryGetValue(labels, out var series))
        {
            if (_series.Count >= MostSeries)
            {
                Interlocked.Increment(ref _dropped);
                return;
            }

            series = _series.GetOrAdd(labels, static (_, bounds) => new MetricSeries(bounds), Definition.Bounds);
        }

        if (Definition.Kind == MetricKind.Histogram)
        {
            series.Observe(value);
        }
        else
        {
            series.Add(value);
        }
    }

    /// <summary>Forgets every series; for values that are told anew each time.</summary>
    public void Clear() => _series.Clear();

    private static string TextOf(object? value) => value switch
    {
        string text => text,
        int number and >= 0 and < Numbers => NumberTexts[number] ??= number.ToString(CultureInfo.InvariantCulture),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    private string Find(ReadOnlySpan<KeyValuePair<string, object?>> tags, int label)
    {
        if (label < Definition.Labels.Count)
        {
            foreach (var (name, value) in tags)
            {
                if (name == Definition.Labels[label])
                {
                    return TextOf(value);
                }
            }
        }

        return "";
    }
}

/// <summary>The values of a series' labels, in the order of the definition; empty ones are not written.</summary>
internal readonly record struct LabelValues(string First, string Second, string Third) : IComparable<LabelValues>
{
    /// <summary>By its place.</summary>
    public string this[int index] => index switch
    {
        0 => First,
        1 => Second,
        _ => Third,
    };

    /// <inheritdoc/>
    public int CompareTo(LabelValues other)
    {
        var order = string.CompareOrdinal(First, other.First);
        order = order != 0 ? order : string.CompareOrdinal(Second, other.Second);
        return order != 0 ? order : string.CompareOrdinal(Third, other.Third);
    }
}
