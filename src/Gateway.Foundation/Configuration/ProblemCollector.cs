namespace Gateway.Foundation.Configuration;

/// <summary>
/// Collects problems while reading continues, so that one run shows them all, in the order of the file.
/// </summary>
internal sealed class ProblemCollector
{
    private readonly List<(SourcePosition Position, Problem Problem)> _problems = [];

    /// <summary>How many there are so far.</summary>
    public int Count => _problems.Count;

    /// <summary>Notes one; the parts are those of <see cref="Problem"/>.</summary>
    public void Add(
        SourcePosition position, string what, string? found, string fix, ProblemKind kind = ProblemKind.Other) =>
        _problems.Add((position, new Problem(position.ToString(), what, found, fix) { Kind = kind }));

    /// <summary>All problems, from the top of the file to its end.</summary>
    public IReadOnlyList<Problem> ToList() =>
        [.. _problems.OrderBy(static entry => entry.Position).Select(static entry => entry.Problem)];

    /// <exception cref="ProblemException">There is at least one problem.</exception>
    public void ThrowIfAny()
    {
        if (_problems.Count > 0)
        {
            throw new ProblemException(ToList());
        }
    }
}
