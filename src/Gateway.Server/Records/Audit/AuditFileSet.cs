using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Gateway.Server.Records.Audit;

/// <summary>The names of an audit file and of those that were finished before it.</summary>
/// <remarks>
/// Finished by the gateway: <c>audit-20261126T155700123Z.jsonl</c>, whose text order is time order. By logrotate:
/// <c>audit.jsonl.2</c>, <c>audit.jsonl.1</c>. Either may end in <c>.gz</c>.
/// </remarks>
internal static class AuditFileSet
{
    private const string TimeFormat = "yyyyMMdd'T'HHmmssfff'Z'";

    /// <summary>The name under which a file is put away.</summary>
    public static string FinishedName(string path, DateTimeOffset time)
    {
        for (var at = time.UtcDateTime; ; at = at.AddMilliseconds(1))
        {
            var name = Path.Combine(
                Path.GetDirectoryName(path)!,
                Path.GetFileNameWithoutExtension(path) + "-" + at.ToString(TimeFormat, CultureInfo.InvariantCulture)
                + Path.GetExtension(path));
            if (!File.Exists(name) && !File.Exists(name + ".gz"))
            {
                return name;
            }
        }
    }

    /// <summary>Whether a file has the name of a finished one.</summary>
    public static bool IsFinishedName(string path)
    {
        var name = Path.GetFileName(path);
        name = name.EndsWith(".gz", StringComparison.Ordinal) ? name[..^3] : name;
        var stem = Path.GetFileNameWithoutExtension(name);
        var dash = stem.LastIndexOf('-');
        return int.TryParse(
            Path.GetExtension(name).TrimStart('.'), NumberStyles.None, CultureInfo.InvariantCulture, out _)
            || (dash > 0 && DateTime.TryParseExact(
                stem.AsSpan(dash + 1), TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out _));
    }

    /// <summary>
    /// The file that a symbolic link leads to: that one is put away and begun anew, and the link stays.
    /// </summary>
    public static string Resolve(string path) =>
        new FileInfo(path) is { LinkTarget: not null } link
        && link.ResolveLinkTarget(returnFinalTarget: true) is { } target
            ? target.FullName
            : path;

    /// <summary>The finished files next to a current one, the oldest first.</summary>
    public static IReadOnlyList<string> Finished(string path)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var (stem, extension, name) = (
            Path.GetFileNameWithoutExtension(path) + "-", Path.GetExtension(path), Path.GetFileName(path) + ".");
        var own = new List<string>();
        var numbered = new List<(int Number, string Path)>();
        try
        {
            foreach (var file in Directory.EnumerateFiles(folder))
            {
                var text = Path.GetFileName(file);
                text = text.EndsWith(".gz", StringComparison.Ordinal) ? text[..^3] : text;
                if (text.StartsWith(stem, StringComparison.Ordinal)
                    && text.EndsWith(extension, StringComparison.Ordinal)
                    && text.Length > stem.Length + extension.Length
                    && DateTime.TryParseExact(
                        text.AsSpan(stem.Length, text.Length - stem.Length - extension.Length),
                        TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out _))
                {
                    own.Add(file);
                }
                else if (text.StartsWith(name, StringComparison.Ordinal)
                    && int.TryParse(
                        text.AsSpan(name.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                {
                    numbered.Add((number, file));
                }
            }
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }

        return
        [
            .. numbered.OrderByDescending(static item => item.Number).Select(static item => item.Path),
            .. own.Order(StringComparer.Ordinal),
        ];
    }

    /// <summary>Removes the oldest of the files that the gateway finished, down to a number.</summary>
    public static void Trim(string path, int keep)
    {
        var finished = Finished(path).Where(file => Path.GetFileName(file).StartsWith(
            Path.GetFileNameWithoutExtension(path) + "-", StringComparison.Ordinal)).ToList();
        foreach (var old in finished.Take(finished.Count - keep))
        {
            File.Delete(old);
        }
    }

    /// <summary>The position of the chain at the end of a finished or current file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="torn">The bytes behind its last line break: an unfinished line.</param>
    /// <returns><see langword="null"/> where it is empty or its last line is none of a chain.</returns>
    public static ChainPosition? PositionAtEnd(string path, out int torn)
    {
        torn = 0;
        using var file = AuditReader.Open(path);
        if (file.CanSeek && file.Length > AuditReader.LongestLine * 2)
        {
            file.Seek(-AuditReader.LongestLine * 2, SeekOrigin.End); // two lines at least, the last ones whole
        }

        ChainPosition? position = null;
        foreach (var line in AuditReader.ReadLines(file))
        {
            if (!line.IsComplete)
            {
                torn = line.Length;
            }
            else if (AuditLines.PositionAfter(line.Bytes) is { } found)
            {
                position = found;
            }
        }

        return position;
    }

    /// <summary>What the first line of a file says: when it was begun, and how its lines are tied together.</summary>
    public static (DateTimeOffset? Time, string? Chain) ReadFirst(string path)
    {
        using var file = AuditReader.Open(path);
        foreach (var line in AuditReader.ReadLines(file))
        {
            try
            {
                using var document = JsonDocument.Parse(Encoding.UTF8.GetString(line.Bytes));
                var root = document.RootElement;
                return (
                    root.GetProperty("time"u8).GetDateTimeOffset(),
                    root.TryGetProperty("chain"u8, out var chain) ? chain.GetString() : null);
            }
            catch (Exception exception) when (exception is JsonException or InvalidOperationException
                or KeyNotFoundException or FormatException)
            {
                break;
            }
        }

        return (null, null);
    }
}
