using System.Collections.Immutable;
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

    private RepositoryPattern(string text, ImmutableArray<PatternSegment> segments)
    {
        Text = text;
        Segments = segments;
    }

    /// <summary>The pattern as written.</summary>
    public string Text { get; }

    internal ImmutableArray<PatternSegment> Segments { get; }

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

        var segments = ImmutableArray.CreateBuilder<PatternSegment>();
        foreach (var part in text.Split('/'))
        {
            if (!TryParseSegment(part, out var segment, out fix))
            {
                return false;
            }

            // ** after ** adds nothing.
            if (segment.Kind != PatternSegmentKind.Spanning || segments is [] || segments[^1].Kind != segment.Kind)
            {
                segments.Add(segment);
            }
        }

        pattern = new RepositoryPattern(text, segments.ToImmutable());
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
    public bool CouldMatch(RepositoryName repository) =>
        new RepositoryPattern(
            Text,
            [
                .. Segments.Select(
                    static one => one.Kind == PatternSegmentKind.Subject
                        ? one with { Kind = PatternSegmentKind.Any }
                        : one),
            ])
            .Matches(repository, subjectSegment: null);

    /// <summary>Matches this one pattern; the index matches all of them at once.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="subjectSegment">
    /// The value of <c>${subject}</c>; <see langword="null"/> where it matches nothing.
    /// </param>
    internal bool Matches(RepositoryName repository, string? subjectSegment)
    {
        var parts = repository.Value.Split('/');
        var (part, segment, retrySegment, retryPart) = (0, 0, -1, 0);
        while (true)
        {
            if (segment == Segments.Length && part == parts.Length)
            {
                return true;
            }

            if (segment < Segments.Length && Segments[segment].Kind == PatternSegmentKind.Spanning)
            {
                if (segment == Segments.Length - 1)
                {
                    return part < parts.Length;
                }

                (retrySegment, retryPart) = (++segment, part);
            }
            else if (segment < Segments.Length && part < parts.Length
                && Segments[segment].Matches(parts[part], subjectSegment))
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

    private static bool TryParseSegment(string text, out PatternSegment segment, [NotNullWhen(false)] out string? fix)
    {
        segment = default;
        fix = text switch
        {
            "" => "Write no empty segment, and no slash at the beginning or end.",
            "**" or SubjectPlaceholder => null,
            _ when text.Contains("**", StringComparison.Ordinal) =>
                "\"**\" must be a segment of its own, as in \"team-a/**\"; within a segment write one \"*\".",
            _ when text.Contains('$', StringComparison.Ordinal) =>
                $"\"{SubjectPlaceholder}\" must be a segment of its own, as in \"users/{SubjectPlaceholder}/**\"; "
                + "nothing else may begin with \"$\".",
            _ when text.Any(char.IsAsciiLetterUpper) => "Write it in lower case, as repository names are.",
            _ when !text.All(
                static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '_' or '-' or '*') =>
                "Use only a-z, 0-9, \".\", \"_\", \"-\" and \"*\" in a segment; put tags under \"tags\".",
            _ when !text.Contains('*', StringComparison.Ordinal) && !RepositoryName.IsValid(text) =>
                $"No repository can have the segment \"{text}\": it must begin and end with a letter or digit, "
                + "with a single \".\", \"_\", \"__\" or run of dashes between them.",
            _ => null,
        };
        if (fix is not null)
        {
            return false;
        }

        segment = text switch
        {
            "**" => new(PatternSegmentKind.Spanning, text, null),
            SubjectPlaceholder => new(PatternSegmentKind.Subject, text, null),
            "*" => new(PatternSegmentKind.Any, text, null),
            _ when text.Contains('*', StringComparison.Ordinal) => new(PatternSegmentKind.Glob, text, new Glob(text)),
            _ => new(PatternSegmentKind.Literal, text, null),
        };
        return true;
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
