using System.Text.Json;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.Records.Audit;

/// <summary>Files were read again and are in force, or were refused.</summary>
internal sealed class ReloadEntry(DateTimeOffset time) : AuditEntry(time)
{
    private const int MostNames = 50, MostProblems = 10, LongestName = 128;

    /// <inheritdoc/>
    public override string Event => "reload";

    /// <summary>What was read: <c>policies</c>, <c>htpasswd</c>, <c>certificates</c>, <c>keys</c>.</summary>
    public required string Source { get; init; }

    /// <summary>What changed, by kind of thing.</summary>
    public IReadOnlyList<Difference> Changes { get; init; } = [];

    /// <summary>Why newer files were refused; none where they are in force.</summary>
    public IReadOnlyList<Problem> Problems { get; init; } = [];

    /// <inheritdoc/>
    protected override void WriteMembers(Utf8JsonWriter json)
    {
        json.WriteString("source"u8, Source);
        json.WriteString("outcome"u8, Problems.Count == 0 ? "applied"u8 : "refused"u8);
        if (Problems.Count > 0)
        {
            json.WriteNumber("problemCount"u8, Problems.Count);
            json.WriteStartArray("problems"u8);
            foreach (var problem in Problems.Take(MostProblems))
            {
                WriteName(json, problem.ToString(), AuditText.Longest);
            }

            json.WriteEndArray();
            return;
        }

        json.WriteStartArray("changes"u8);
        foreach (var change in Changes)
        {
            json.WriteStartObject();
            json.WriteString("of"u8, change.Of);
            WriteNames(json, "added"u8, change.Added);
            WriteNames(json, "removed"u8, change.Removed);
            WriteNames(json, "changed"u8, change.Changed);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    // A user file can change by thousands of names at once.
    private static void WriteNames(Utf8JsonWriter json, ReadOnlySpan<byte> name, IReadOnlyList<string> names)
    {
        if (names.Count == 0)
        {
            return;
        }

        json.WriteStartObject(name);
        json.WriteNumber("count"u8, names.Count);
        json.WriteStartArray("names"u8);
        foreach (var one in names.Take(MostNames))
        {
            WriteName(json, one, LongestName);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteName(Utf8JsonWriter json, string name, int longest) =>
        json.WriteStringValue(name.Length <= longest ? name : string.Concat(name.AsSpan(0, longest), "…"));
}
