using Gateway.Bench.Fronts;

namespace Gateway.Bench.Report;

/// <summary>Which fronts are compared with which, and by which figure.</summary>
/// <param name="Figure">The figure of both.</param>
/// <param name="Other">The key of the front that is 1.</param>
/// <param name="Title">The heading of the column, for people.</param>
internal sealed record Comparison(string Figure, string Other, string Title)
{
    /// <summary>The front's own processor time, that of Redis with it, and that of everything.</summary>
    public const string Own = "cpu", WithRedis = "with-redis-cpu", Everything = "all-cpu";

    /// <summary>All comparisons of a gateway.</summary>
    public static IReadOnlyList<Comparison> All { get; } =
    [
        new(Own, FrontSet.Yarp, ": bare YARP"),
        new(WithRedis, FrontSet.Yarp, "with Redis : bare YARP"),
        new(Own, FrontSet.Nginx, ": nginx TLS"),
        new(Own, FrontSet.NginxAuth, ": nginx TLS + auth_basic"),
        new(Everything, FrontSet.Registry, "all processes : the registry itself"),
        new(Own, FrontSet.RegistryAuth, ": the registry's htpasswd"),
    ];

    /// <summary>Every ratio of every gateway that a run gives.</summary>
    public static IEnumerable<Series> Ratios(Results results) =>
        from workload in results.All.Select(static one => one.Workload).Distinct().ToList()
        from front in FrontSet.Titles.Keys
        where front.StartsWith(FrontSet.Gateway, StringComparison.Ordinal)
        from comparison in All
        let ratio = results.Ratio(workload, front, comparison.Figure, comparison.Other)
        where ratio is not null
        select ratio;
}
