namespace Gateway.Client.Doctor.Explain;

/// <summary>Finds the known messages of clients, and of this gateway, in a pasted text.</summary>
internal sealed class ErrorExplainer(IReadOnlyList<KnownProblem> problems)
{
    /// <summary>More would hide the best one.</summary>
    public const int MostAnswers = 3;

    // Matches this close belong to the same message, for which the best answer is enough.
    private const int SameMessage = 40;

    private static readonly Lazy<ErrorExplainer> Shared = new(
        static () => new ErrorExplainer(KnownProblemReader.ReadEmbedded()));

    /// <summary>The explainer of the messages in <c>messages.yaml</c>; read once.</summary>
    public static ErrorExplainer Default => Shared.Value;

    /// <summary>Everything that is known.</summary>
    public IReadOnlyList<KnownProblem> Problems { get; } = problems;

    /// <summary>What the text most likely means, best first; empty if nothing in it is known.</summary>
    public IReadOnlyList<PatternMatch> Explain(string text)
    {
        var answers = new List<PatternMatch>();
        var all = FindAll(text)
            .OrderBy(static match => match.Problem.Kind)
            .ThenByDescending(static match => match.IsComplete)
            .ThenByDescending(static match => match.Span.Matched)
            .ThenByDescending(static match => match.Span.Start) // programs in Go write the reason last
            .ToList();
        foreach (var match in all)
        {
            if (answers.Count == MostAnswers)
            {
                break;
            }

            if (!answers.Exists(answer => Covers(answer, match)) && !IsDoubtful(match, all))
            {
                answers.Add(match);
            }
        }

        return answers;
    }

    /// <summary>Every known message in the text, in the order of the file.</summary>
    public IReadOnlyList<PatternMatch> FindAll(string text)
    {
        var squashed = MessageText.Squash(text);
        var found = FindIn(squashed);
        var bare = MessageText.Squash(MessageText.RemoveLinePrefixes(MessageText.Unescape(text)));
        if (bare == squashed)
        {
            return found;
        }

        // A prefix may be within a message that was broken into lines; without line breaks, prefixes are part of the
        // text.
        var inBare = FindIn(bare);
        return inBare.Count(static match => match.IsComplete) > found.Count(static match => match.IsComplete)
            ? inBare
            : found;
    }

    private static bool Covers(PatternMatch answer, PatternMatch other) =>
        answer.Problem == other.Problem
        || answer.Span.DistanceTo(other.Span) <= SameMessage
        || (other.Problem.Kind == ProblemKind.Envelope && answer.Problem.Kind != ProblemKind.Envelope);

    // Where one message matches completely, the beginning of another one at the same place does not count.
    private static bool IsDoubtful(PatternMatch match, List<PatternMatch> all) =>
        !match.IsComplete && all.Exists(other => other.IsComplete && other.Span.Overlaps(match.Span));

    private List<PatternMatch> FindIn(string squashed)
    {
        var found = new List<PatternMatch>();
        foreach (var problem in Problems)
        {
            foreach (var pattern in problem.Patterns)
            {
                if (pattern.Template.Find(squashed) is { } span)
                {
                    found.Add(new PatternMatch(problem, pattern, span));
                }
            }
        }

        return found;
    }
}
