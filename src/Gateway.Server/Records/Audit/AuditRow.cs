using System.Text.Json;

namespace Gateway.Server.Records.Audit;

/// <summary>A line for people: one row of a table, whatever its kind.</summary>
internal static class AuditRow
{
    private const int LongestReason = 120;
    private static readonly int[] Widths = [24, 10, 9, 20, 15, 14];

    /// <summary>The table's head.</summary>
    public static string Head { get; } =
        Row("TIME", "EVENT", "DECISION", "SUBJECT", "ADDRESS", "OPERATION", "WHAT");

    /// <summary>Writes a line as a row. Nothing in it can move the terminal's cursor.</summary>
    public static string Format(JsonElement line)
    {
        var (subject, operation, what) = Text(line, "event") switch
        {
            "credential" => (Text(line, "by"), Text(line, "action"), DescribeCredential(line)),
            "command" =>
                ($"uid:{Text(line, "uid")} {Text(line, "account")}", Text(line, "command"), Text(line, "target")),
            "reload" => ("", Text(line, "source"), DescribeReload(line)),
            "outage" => ("", Text(line, "sink"), $"since {Text(line, "since")}, {Text(line, "lost")} lines lost"),
            "start" or "stop" => ("", "", $"version {Text(line, "version")}, on failure {Text(line, "onFailure")}"),
            _ => (DescribeSubject(line), Text(line, "operation"), DescribeRequest(line)),
        };
        return Row(
            Text(line, "time"), Text(line, "event"), Text(line, "decision"), subject, Text(line, "address"), operation,
            what);
    }

    private static string Row(params ReadOnlySpan<string> cells)
    {
        var row = "";
        for (var i = 0; i < Widths.Length; i++)
        {
            row += (cells[i].Length == 0 ? "-" : AuditText.Printable(cells[i])).PadRight(Widths[i]) + "  ";
        }

        return (row + AuditText.Printable(cells[^1])).TrimEnd();
    }

    private static string DescribeSubject(JsonElement line) =>
        Text(line, "subject") is { Length: > 0 } subject ? subject
        : Text(line, "signIn.userName") is { Length: > 0 } claimed ? $"({claimed})"
        : "";

    private static string DescribeRequest(JsonElement line)
    {
        var reference = Text(line, "reference");
        var digest = Text(line, "digest");
        var what = Text(line, "repository") is { Length: > 0 } repository ? repository : Text(line, "target");
        if (reference.Length > 0 && reference != digest)
        {
            what += ":" + reference;
        }

        if (digest.Length > 0)
        {
            what += "@" + (digest.Length > 19 ? digest[..19] : digest);
        }

        var parts = new List<string> { what };
        Add(Text(line, "grant.granted"), "granted ");
        Add(Text(line, "phase") == "begin" ? "no end recorded" : Text(line, "status"), "");
        Add(Bytes(line, "bytesIn"), "in ");
        Add(Bytes(line, "bytesOut"), "out ");
        Add(Text(line, "rule.name"), "by rule ");
        Add(Text(line, "error.code") is { Length: > 0 } code ? DescribeError(line, code) : "", "");
        Add(Text(line, "limit"), "limit ");
        Add(Text(line, "aborted") == "true" ? "aborted" : "", "");
        return string.Join("  ", parts.Where(static part => part.Length > 0));

        void Add(string text, string label)
        {
            if (text.Length > 0)
            {
                parts.Add(label + text);
            }
        }
    }

    // The sign-in's own reason says more than the client was told.
    private static string DescribeError(JsonElement line, string code)
    {
        var why = Text(line, "signIn.reason") is { Length: > 0 } reason ? reason : Text(line, "error.message");
        return code + ": " + (why.Length > LongestReason ? why[..LongestReason] + "…" : why);
    }

    private static string DescribeCredential(JsonElement line)
    {
        var what = $"{Text(line, "kind")} token {Text(line, "credential")} of {Text(line, "owner")}".TrimStart();
        return Text(line, "action") switch
        {
            "revokeAll" => $"{Text(line, "count")} of {Text(line, "owner")}",
            "block" =>
                Text(line, "owner") + Labelled(" until ", Text(line, "until")) + Labelled(": ", Text(line, "reason")),
            "unblock" => Text(line, "owner"),
            "rotate" => $"{what}, instead of {Text(line, "replaced")}",
            _ => what,
        };
    }

    private static string Labelled(string label, string text) => text.Length == 0 ? "" : label + text;

    private static string DescribeReload(JsonElement line)
    {
        if (Text(line, "outcome") == "refused")
        {
            return $"refused: {Text(line, "problems")}";
        }

        var parts = new List<string>();
        foreach (var change in line.TryGetProperty("changes", out var changes) ? changes.EnumerateArray() : default)
        {
            foreach (var kind in (string[])["added", "removed", "changed"])
            {
                if (change.TryGetProperty(kind, out var names))
                {
                    var all = names.GetProperty("names").EnumerateArray().Select(static name => name.GetString());
                    parts.Add($"{Text(change, "of")} {kind}: {string.Join(", ", all)}");
                }
            }
        }

        return parts.Count == 0 ? "reloaded, nothing changed" : string.Join("; ", parts);
    }

    private static string Bytes(JsonElement line, string path)
    {
        var count = Text(line, path);
        return count == "0" ? "" : count;
    }

    private static string Text(JsonElement line, string path) => AuditFilter.Text(line, path);
}
