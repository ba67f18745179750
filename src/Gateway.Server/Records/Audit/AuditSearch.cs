using System.Text;
using System.Text.Json;

namespace Gateway.Server.Records.Audit;

/// <summary>Finds lines in files.</summary>
internal static class AuditSearch
{
    /// <summary>The lines that fit, in the files' order; what is no audit line is passed over.</summary>
    /// <remarks>
    /// Of a request with a line before its effect and one at its end only the latter is given; where that is missing,
    /// the gateway did not live to write it, and the former is.
    /// </remarks>
    public static IEnumerable<(JsonElement Line, string Text)> Find(IReadOnlyList<string> files, AuditFilter filter)
    {
        var unfinished = FindUnfinished(files);
        foreach (var file in files)
        {
            foreach (var line in ReadFile(file))
            {
                if (Parse(line.Bytes) is { } found
                    && (!IsBegin(found) || unfinished.Contains(AuditFilter.Text(found, "requestId")))
                    && filter.Fits(found))
                {
                    yield return (found, Encoding.UTF8.GetString(line.Bytes));
                }
            }
        }
    }

    /// <summary>Whether a line tells of a request that has yet to end.</summary>
    public static bool IsBegin(JsonElement line) => AuditFilter.Text(line, "phase") == "begin";

    /// <summary>Reads a line; <see langword="null"/> where it is none of the trail's.</summary>
    public static JsonElement? Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            var root = JsonSerializer.Deserialize(line, AuditJson.Default.JsonElement);
            return root.ValueKind == JsonValueKind.Object && root.TryGetProperty("event"u8, out _) ? root : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static HashSet<string> FindUnfinished(IReadOnlyList<string> files)
    {
        var unfinished = new HashSet<string>(StringComparer.Ordinal);
        var hasBegins = false;
        foreach (var file in files)
        {
            foreach (var line in ReadFile(file))
            {
                var isBegin = line.Bytes.AsSpan().IndexOf("\"phase\":\"begin\""u8) >= 0;
                hasBegins |= isBegin;
                if (hasBegins && Parse(line.Bytes) is { } found
                    && AuditFilter.Text(found, "requestId") is { Length: > 0 } id)
                {
                    _ = isBegin
                        ? unfinished.Add(id)
                        : AuditFilter.Text(found, "phase") == "end" && unfinished.Remove(id);
                }
            }
        }

        return unfinished;
    }

    // A file can be put away or removed while others are read.
    private static IEnumerable<AuditLine> ReadFile(string path)
    {
        Stream file;
        try
        {
            file = AuditReader.Open(path);
        }
        catch (FileNotFoundException)
        {
            yield break;
        }

        using (file)
        {
            foreach (var line in AuditReader.ReadLines(file))
            {
                yield return line;
            }
        }
    }
}
