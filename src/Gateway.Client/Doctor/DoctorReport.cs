using System.Text.Json;

namespace Gateway.Client.Doctor;

/// <summary>Writes a diagnosis, for people and for programs.</summary>
internal static class DoctorReport
{
    /// <summary>Nothing worse than information, and every check ran.</summary>
    public const int Healthy = 0;

    /// <summary>The worst is a warning.</summary>
    public const int Warned = 1;

    /// <summary>There is an error.</summary>
    public const int Failed = 2;

    /// <summary>Nothing was found, but a check could not run, so the result is not known to be good.</summary>
    public const int Incomplete = 3;

    private const string Indent = "           ";

    /// <summary>The exit code of a diagnosis.</summary>
    public static int ExitCodeOf(Diagnosis diagnosis) => diagnosis.Worst switch
    {
        Severity.Error => Failed,
        Severity.Warning => Warned,
        Severity.NotRun => Incomplete,
        _ => Healthy,
    };

    /// <summary>Writes the table: problems first, each with its evidence, cause and fix; then what passed.</summary>
    public static void Write(Diagnosis diagnosis, TextWriter output)
    {
        foreach (var finding in diagnosis.Findings)
        {
            var page = ProblemCatalog.Instance.Find(finding.Id);
            var text = page is null ? $"{finding.Subject}: {finding.Evidence}" : $"{page.Title}: {finding.Subject}";
            output.WriteLine($"{SignOf(finding.Severity)} {finding.Id,-8} {text}");
            if (page is not null)
            {
                output.WriteLine($"{Indent}found  {finding.Evidence}");
                if (finding.Severity > Severity.Information)
                {
                    output.WriteLine($"{Indent}why    {DoctorText.OneLine(page.Means)}");
                }
            }

            if (finding.Fix is not null || (page is not null && finding.Severity > Severity.Information))
            {
                output.WriteLine($"{Indent}fix    {finding.Fix ?? page!.Fix[0].Trim()}");
            }

            if (page is not null && finding.Severity > Severity.Information)
            {
                output.WriteLine($"{Indent}page   {ProblemCatalog.PathOf(page.Id)}");
            }
        }

        output.WriteLine();
        output.WriteLine(Summary(diagnosis));
    }

    /// <summary>Writes the same as one JSON document.</summary>
    public static void WriteJson(Diagnosis diagnosis, Stream output)
    {
        using var json = new Utf8JsonWriter(output, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteString("worst", NameOf(diagnosis.Worst));
        json.WriteNumber("exitCode", ExitCodeOf(diagnosis));
        json.WriteStartArray("findings");
        foreach (var finding in diagnosis.Findings)
        {
            var page = ProblemCatalog.Instance.Find(finding.Id);
            json.WriteStartObject();
            json.WriteString("id", finding.Id);
            json.WriteString("severity", NameOf(finding.Severity));
            json.WriteString("subject", finding.Subject);
            json.WriteString("evidence", finding.Evidence);
            if (page is not null)
            {
                json.WriteString("problem", page.Title);
                json.WriteString("cause", page.Means.Trim());
                json.WriteString("page", ProblemCatalog.PathOf(page.Id));
            }

            if ((finding.Fix ?? (finding.Severity > Severity.Information ? page?.Fix[0].Trim() : null)) is { } fix)
            {
                json.WriteString("fix", fix);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static string Summary(Diagnosis diagnosis)
    {
        int Count(Severity severity) => diagnosis.Findings.Count(finding => finding.Severity == severity);
        return $"{DoctorText.Count(Count(Severity.Error), "error")}, "
            + $"{DoctorText.Count(Count(Severity.Warning), "warning")}, {Count(Severity.NotRun)} not run, "
            + $"{Count(Severity.Information)} for information, {Count(Severity.Passed)} passed";
    }

    private static char SignOf(Severity severity) => severity switch
    {
        Severity.Error => '✘',
        Severity.Warning => '⚠',
        Severity.NotRun => '○',
        Severity.Information => 'ℹ',
        _ => '✔',
    };

    private static string NameOf(Severity severity) => JsonNamingPolicy.CamelCase.ConvertName(severity.ToString());
}
