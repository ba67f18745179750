namespace Gateway.Bench.Load;

/// <summary>A fixed number of pieces of work, some at the same time.</summary>
internal static class CountedLoad
{
    /// <summary>Does all of them.</summary>
    /// <param name="count">How many.</param>
    /// <param name="concurrency">How many at the same time.</param>
    /// <param name="work">One of them, by its number from zero; it throws where the answer is not right.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static Task RunAsync(
        int count, int concurrency, Func<int, CancellationToken, Task> work, CancellationToken cancellationToken) =>
        Parallel.ForAsync(
            0,
            count,
            new ParallelOptions { MaxDegreeOfParallelism = concurrency, CancellationToken = cancellationToken },
            async (number, cancellation) => await work(number, cancellation));
}
