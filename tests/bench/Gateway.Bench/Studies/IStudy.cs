using Gateway.Bench.Report;

namespace Gateway.Bench.Studies;

/// <summary>
/// What is measured once or a few times beside the comparison of the fronts: starts, memory, idle time.
/// </summary>
internal interface IStudy
{
    /// <summary>Its name in the results.</summary>
    string Key { get; }

    /// <summary>Does it, and adds its figures.</summary>
    Task RunAsync(Results results, CancellationToken cancellationToken);
}
