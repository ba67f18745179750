using System.Globalization;
using Gateway.Bench.Fronts;

namespace Gateway.Bench.Report;

/// <summary>What people call the figures of the studies, which have short names in the CSV.</summary>
internal static class StudyTitles
{
    private static readonly Dictionary<(string Study, string Figure), string> Figures = new()
    {
        [("start", "ready-cpu")] = "start: processor time until it is ready",
        [("start", "idle-memory")] = "start: resident memory, idle",
        [("start", "loaded-memory")] = "start: resident memory after load",
        [("reload", "reload-cpu")] = "one rule added: processor time until it is in force",
        [("idle", "idle-cpu")] = "idle, tokens and limits in Redis: share of a core",
        [("idle", "idle-redis-cpu")] = "the same: share of a core that Redis uses",
        [("idle", "idle-redis-commands")] = "the same: commands that Redis processes",
        [("connections", "idle-connection")] = "memory of an idle TLS connection",
        [("connections", "after-closed-connections")] = "memory kept after many TLS connections were closed",
        [("catalog", "page-100")] = "catalog: one page of 100 names",
        [("catalog", "page-1000")] = "catalog: one page of 1,000 names",
        [("catalog", "walk")] = "catalog: all pages, for a caller who sees all",
        [("catalog", "walk-read")] = "the same: names read from the registry",
        [("catalog", "guest-page-cold")] = "catalog: first page for a caller who sees ten, cold",
        [("catalog", "guest-page-cold-read")] = "the same: names read from the registry",
        [("catalog", "guest-page-warm")] = "catalog: the same page again",
        [("catalog", "guest-page-warm:page-100")] = "the same, compared with one page of the registry",
        [("commands", "version")] = "`gateway --version`: processor time",
        [("commands", "explain")] = "`gateway doctor explain`: processor time",
        [("commands", "credential-get")] = "`docker-credential-gateway get`: processor time",
        [("decision", "decision")] = "one decision of the policy",
        [("decision", "decision-allocated")] = "the same: memory allocated",
        [("decision", "signature")] = "one ES256 signature, for comparison",
        [("decision", "signature-allocated")] = "the same: memory allocated",
    };

    /// <summary>A figure's name for people.</summary>
    public static string FigureOf(Series series) =>
        Figures.GetValueOrDefault((series.Workload, series.Figure), series.Figure);

    /// <summary>The name for people of what a figure is about.</summary>
    public static string SubjectOf(Series series)
    {
        if (FrontSet.Titles.TryGetValue(series.Front, out var title))
        {
            return title;
        }

        var parts = series.Front.Split('-');
        return parts[^1] == "rules" && int.TryParse(parts[^2], CultureInfo.InvariantCulture, out var rules)
            ? $"{rules.ToString("N0", CultureInfo.InvariantCulture)} rules"
            : "";
    }
}
