namespace Gateway.Bench.Report;

/// <summary>One figure, once a round.</summary>
/// <param name="Workload">The workload's key.</param>
/// <param name="Front">The front's key, or what else it is about.</param>
/// <param name="Figure">What was measured: <c>cpu</c>, <c>registry-cpu</c>.</param>
/// <param name="Unit">Its unit: <c>us</c>, <c>ms</c>, <c>MiB</c>, <c>ratio</c>.</param>
/// <param name="Values">The values, in the order of the rounds.</param>
internal sealed record Series(
    string Workload, string Front, string Figure, string Unit, IReadOnlyList<double> Values)
{
    /// <summary>The middle value; of an even number the mean of the two.</summary>
    public double Median
    {
        get
        {
            double[] sorted = [.. Values.Order()];
            return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
        }
    }

    /// <summary>The ratio of each round to another series' of the same round.</summary>
    public Series To(Series other) => this with
    {
        Figure = $"{Figure}:{other.Front}",
        Unit = "ratio",
        Values = [.. Values.Zip(other.Values, static (one, two) => one / two)],
    };
}
