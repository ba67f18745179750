namespace Gateway.Client.Doctor.Explain;

/// <summary>The fixed parts of a message, in order; between two of them anything may appear, up to a length.</summary>
internal sealed class MessageTemplate
{
    /// <summary>The placeholder for variable parts.</summary>
    public const string Placeholder = "{}";

    // The longest thing between two fixed parts is a URL with a signed query.
    private const int MaxGap = 400;

    // How much of a template a cut-off text must contain to match.
    private const int LeastCut = 16;
    private const double LeastCutShare = 0.6;

    private const int MostOccurrences = 500;

    private readonly string[] _parts;

    private MessageTemplate(string text, string[] parts)
    {
        Text = text;
        _parts = parts;
        Length = parts.Sum(static part => part.Length);
    }

    /// <summary>The template as it was written.</summary>
    public string Text { get; }

    /// <summary>How many characters are fixed; the more, the more specific.</summary>
    public int Length { get; }

    /// <summary>Reads one.</summary>
    /// <exception cref="FormatException">
    /// It begins or ends with a placeholder, or a fixed part is too short.
    /// </exception>
    public static MessageTemplate Parse(string text)
    {
        var parts = text.Split(Placeholder).Select(MessageText.Squash).ToArray();
        return parts.Any(static part => part.Length == 0) || parts[0].Length < 3
            || parts.Sum(static part => part.Length) < 10
            ? throw new FormatException($"\"{text}\" is not a template: begin and end it with fixed text of 10 "
                + "characters or more")
            : new MessageTemplate(text, parts);
    }

    /// <summary>Finds the last place where the message appears, or where the text is cut off within it.</summary>
    /// <param name="squashed">See <see cref="MessageText.Squash"/>.</param>
    public TemplateSpan? Find(string squashed)
    {
        var found = Occurrences(squashed, _parts[0]).Select(at => (Start: at, End: at + _parts[0].Length)).ToList();
        if (found.Count == 0)
        {
            return FindCut(squashed, found, 0);
        }

        for (var index = 1; index < _parts.Length; index++)
        {
            var next = Continue(squashed, found, _parts[index]);
            if (next.Count == 0)
            {
                return FindCut(squashed, found, index);
            }

            found = next;
        }

        var (start, end) = found[^1];
        return new TemplateSpan(start, end, Length, true);
    }

    /// <inheritdoc/>
    public override string ToString() => Text;

    private static List<(int Start, int End)> Continue(string squashed, List<(int Start, int End)> found, string part)
    {
        var result = new List<(int Start, int End)>();
        foreach (var at in Occurrences(squashed, part))
        {
            // The nearest beginning before it: a log may contain the same message twice.
            var start = -1;
            foreach (var (candidate, end) in found)
            {
                if (end <= at && at - end <= MaxGap)
                {
                    start = Math.Max(start, candidate);
                }
            }

            if (start >= 0)
            {
                result.Add((start, at + part.Length));
            }
        }

        return result;
    }

    private static List<int> Occurrences(string squashed, string part)
    {
        var result = new List<int>();
        for (var at = squashed.IndexOf(part, StringComparison.Ordinal);
            at >= 0 && result.Count < MostOccurrences;
            at = squashed.IndexOf(part, at + 1, StringComparison.Ordinal))
        {
            result.Add(at);
        }

        return result;
    }

    private TemplateSpan? FindCut(string squashed, List<(int Start, int End)> found, int missing)
    {
        var end = squashed.AsSpan().TrimEnd('.').Length; // "…" may mark the cut
        var part = _parts[missing];
        var tail = 0;
        for (var length = Math.Min(part.Length - 1, end); length > 0 && tail == 0; length--)
        {
            if (squashed.AsSpan(0, end).EndsWith(part.AsSpan(0, length), StringComparison.Ordinal))
            {
                tail = length;
            }
        }

        var matched = _parts[..missing].Sum(static earlier => earlier.Length) + tail;
        if (matched < LeastCut || matched < Length * LeastCutShare)
        {
            return null;
        }

        if (missing == 0)
        {
            return new TemplateSpan(end - tail, end, matched, false);
        }

        var (start, before) = found[^1];
        return end - tail >= before && end - tail - before <= MaxGap
            ? new TemplateSpan(start, end, matched, false)
            : null;
    }
}
