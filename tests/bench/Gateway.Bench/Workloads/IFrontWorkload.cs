using Gateway.Bench.Fronts;

namespace Gateway.Bench.Workloads;

/// <summary>Work that is done through every front in turn.</summary>
internal interface IFrontWorkload
{
    /// <summary>Its name in the results: <c>manifest-tag</c>.</summary>
    string Key { get; }

    /// <summary>Its name for people.</summary>
    string Title { get; }

    /// <summary>The table that it belongs to.</summary>
    Table Table { get; }

    /// <summary>Whether a front can do it, and it is worth doing there.</summary>
    bool AppliesTo(string front);

    /// <summary>Does it once through a front, and measures it.</summary>
    Task<Measurement> RunAsync(Front front, CancellationToken cancellationToken);
}
