using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Gateway.Core.Registry;

namespace Gateway.Core.Authorization;

/// <summary>Which repositories a rule is about: <c>team-a/**</c>, <c>*/base</c>, <c>users/${subject}/**</c>.</summary>
/// <remarks>
/// <c>*</c> matches any characters within one segment, also as part of one (<c>app-*</c>). <c>**</c> is a whole
/// segment and reads as in .gitignore: at the end it matches one or more segments (<c>team-a/**</c> is what lies
/// below <c>team-a</c>, not <c>team-a</c> itself), elsewhere for any number, none included (<c>**/base</c>).
/// <c>${subject}</c> is a whole segment too: the name of the user who asks.
/// </remarks>
public sealed class RepositoryPattern
{
    /// <summary>The longest pattern accepted, in characters.</summary>
    public const int MaxLength = 512;

    internal const string SubjectPlaceholder = "${subject}";

    private static readonly SearchValues<char> SegmentCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789._-*");

    // Made when asked for: the index keeps its own form of all patterns, and of most of them nobody asks.
    private PatternSegment[]? _segments;

    private RepositoryPattern(string text) => Text = text;

    /// <summary>The pattern as written.</summary>
    public string Text { get; }

    internal ReadOnlySpan<PatternSegment> Segments => _segments ??= [.. Split(Text)];

    /// <summary>Reads a pattern.</summary>
    /// <param name="text">The pattern as written in a policy.</param>
    /// <param name="pattern">The pattern, or <see langword="null"/> where the text is not one.</param>
    /// <param name="fix">What would be right, as a sentence, where the text is not a pattern.</param>
    public static bool TryParse(
        string text, [NotNullWhen(true)] out RepositoryPattern? pattern, [NotNullWhen(false)] out string? fix)
    {
        pattern = null;
        if (text.Length is 0 or > MaxLength)
        {
            fix = $"Write a pattern of 1 to {MaxLength} characters, such as \"team-a/**\".";
            return false;
        }

        foreach (var range in text.AsSpan().Split('/'))
        {
            if (FindFault(text.AsSpan()[range]) is { } fault)
            {
                fix = fault;
                return false;
            }
        }

        pattern = new RepositoryPattern(text);
        fix = null;
        return true;
    }

    /// <summary>Reads a pattern that this program or a test wrote.</summary>
    /// <exception cref="FormatException">The text is not a pattern.</exception>
    public static RepositoryPattern Parse(string text) =>
        TryParse(text, out var pattern, out var fix) ? pattern : throw new FormatException($"\"{text}\": {fix}");

    /// <inheritdoc/>
    public override string ToString() => Text;

    /// <summary>Whether it matches a repository for some subject, whatever the value of <c>${subject}</c>.</summary>
    public bool CouldMatch(RepositoryName repository) => Matches(
        [
            .. Split(Text).Select(
                static one => one.Kind == PatternSegmentKind.Subject
                    ? one with { Kind = PatternSegmentKind.Any }
                    : one),
        ],
        repository,
        subjectSegment: null);

    /// <summary>Matches this one pattern; the index matches all of them at once.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="subjectSegment">
    /// The value of <c>${subject}</c>; <see langword="null"/> where it matches nothing.
    /// </param>
    internal bool Matches(RepositoryName repository, string? subjectSegment) =>
        Matches(Segments, repository, subjectSegment);

    /// <summary>What one segment of a pattern is.</summary>
    internal static PatternSegmentKind KindOf(ReadOnlySpan<char> segment) => segment switch
    {
        "**" => PatternSegmentKind.Spanning,
        SubjectPlaceholder => PatternSegmentKind.Subject,
        "*" => PatternSegmentKind.Any,
        _ when segment.Contains('*') => PatternSegmentKind.Glob,
        _ => PatternSegmentKind.Literal,
    };

    private static IEnumerable<PatternSegment> Split(string text)
    {
        var before = PatternSegmentKind.Literal;
        foreach (var part in text.Split('/'))
        {
            var kind = KindOf(part);
            if (kind != PatternSegmentKind.Spanning || before != kind) // ** after ** adds nothing
            {
                yield return new(kind, part, kind == PatternSegmentKind.Glob ? new Glob(part) : null);
            }

            before = kind;
        }
    }

    private static bool Matches(
        ReadOnlySpan<PatternSegment> segments, RepositoryName repository, string? subjectSegment)
    {
        var parts = repository.Value.Split('/');
        var (part, segment, retrySegment, retryPart) = (0, 0, -1, 0);
        while (true)
        {
            if (segment == segments.Length && part == parts.Length)
            {
                return true;
            }

            if (segment < segments.Length && segments[segment].Kind == PatternSegmentKind.Spanning)
            {
                if (segment == segments.Length - 1)
                {
                    return part < parts.Length;
                }

                (retrySegment, retryPart) = (++segment, part);
            }
            else if (segment < segments.Length && part < parts.Length
                && segments[segment].Matches(parts[part], subjectSegment))
            {
                (segment, part) = (segment + 1, part + 1);
            }
            else if (retrySegment >= 0 && retryPart < parts.Length)
            {
                // Only the last ** needs another try: what lies before it is settled, as ** takes anything.
                (segment, part) = (retrySegment, ++retryPart);
            }
            else
            {
                return false;
            }
        }
    }

    // What is wrong with a segment, as what would be right; null: nothing.
    private static string? FindFault(ReadOnlySpan<char> text)
    {
        if (text is "")
        {
            return "Write no empty segment, and no slash at the beginning or end.";
        }

        if (text is "**" or SubjectPlaceholder)
        {
            return null;
        }

        if (text.Contains("**", StringComparison.Ordinal))
        {
            return "\"**\" must be a segment of its own, as in \"team-a/**\"; within a segment write one \"*\".";
        }

        if (text.Contains('$'))
        {
            return $"\"{SubjectPlaceholder}\" must be a segment of its own, as in \"users/{SubjectPlaceholder}/**\"; "
                + "nothing else may begin with \"$\".";
        }

        if (text.ContainsAnyInRange('A', 'Z'))
        {
            return "Write it in lower case, as repository names are.";
        }

        if (text.ContainsAnyExcept(SegmentCharacters))
        {
            return "Use only a-z, 0-9, \".\", \"_\", \"-\" and \"*\" in a segment; put tags under \"tags\".";
        }

        return text.Contains('*') || RepositoryName.IsValid(text)
            ? null
            : $"No repository can have the segment \"{text}\": it must begin and end with a letter or digit, "
                + "with a single \".\", \"_\", \"__\" or run of dashes between them.";
    }
}

internal enum PatternSegmentKind
{
    Literal,
    Glob,
    Any,
    Subject,
    Spanning,
}

internal readonly record struct PatternSegment(PatternSegmentKind Kind, string Text, Glob? Glob)
{
    public bool Matches(string part, string? subjectSegment) => Kind switch
    {
        PatternSegmentKind.Literal => part == Text,
        PatternSegmentKind.Glob => Glob!.Matches(part),
        PatternSegmentKind.Subject => part == subjectSegment,
        _ => true,
    };
}
