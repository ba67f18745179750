using System.Buffers;

namespace Gateway.Client.Doctor.Explain;

/// <summary>What journals, log collectors and build tools write before each line of a message.</summary>
internal static class LinePrefix
{
    private static readonly SearchValues<char> OfTimes = SearchValues.Create("0123456789-/:.,TZtz+");
    private static readonly SearchValues<char> OfSeconds = SearchValues.Create("0123456789.");

    /// <summary>The line without it: a time, "host program[1]:", BuildKit's "#12 3.45".</summary>
    public static ReadOnlySpan<char> Trim(ReadOnlySpan<char> line)
    {
        line = line.TrimStart();
        while (true)
        {
            var before = line.Length;
            line = TrimStep(TrimProgram(TrimTime(line)));
            if (line.Length == before)
            {
                return line;
            }
        }
    }

    // 2024-04-12T13:12:44.182Z, [2022-08-17T20:54:22.518Z], 2021/05/01 10:00:00, Nov 28 14:52:11
    private static ReadOnlySpan<char> TrimTime(ReadOnlySpan<char> line)
    {
        var inner = line.StartsWith("[") ? line[1..] : line;
        if (inner.Length > 10 && IsDate(inner))
        {
            var end = inner.IndexOfAnyExcept(OfTimes);
            return end > 0 && inner[end] is ' ' or ']' ? inner[(end + 1)..].TrimStart() : line;
        }

        return inner.Length > 15 && inner[3] == ' ' && inner[6] == ' ' && inner[9] == ':' && inner[12] == ':'
            ? inner[15..].TrimStart()
            : inner.Length > 8 && inner[2] == ':' && inner[5] == ':' && inner[8] == ' ' && char.IsAsciiDigit(inner[0])
                ? inner[8..].TrimStart()
                : line;
    }

    private static bool IsDate(ReadOnlySpan<char> text) =>
        text[..4].IndexOfAnyExceptInRange('0', '9') < 0 && text[4] is '-' or '/' && text[7] == text[4];

    // "node-1 kubelet[4443]: " after a time.
    private static ReadOnlySpan<char> TrimProgram(ReadOnlySpan<char> line)
    {
        var end = line.IndexOf("]: ");
        if (end is < 0 or > 80)
        {
            return line;
        }

        var start = line[..end].LastIndexOf('[');
        return start > 0 && end - start > 1 && line[(start + 1)..end].IndexOfAnyExceptInRange('0', '9') < 0
            ? line[(end + 3)..].TrimStart()
            : line;
    }

    // "#12 3.45 "; exactly this form, as a broken line may begin with the "401" of a message.
    private static ReadOnlySpan<char> TrimStep(ReadOnlySpan<char> line)
    {
        if (line.Length == 0 || line[0] != '#')
        {
            return line;
        }

        var number = line[1..].IndexOfAnyExceptInRange('0', '9');
        if (number < 1 || line[number + 1] != ' ')
        {
            return line;
        }

        var rest = line[(number + 2)..];
        var seconds = rest.IndexOfAnyExcept(OfSeconds);
        return seconds > 2 && rest[seconds] == ' ' && rest[..seconds].Contains('.') ? rest[(seconds + 1)..] : rest;
    }
}
