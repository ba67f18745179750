namespace Gateway.Foundation.Configuration;

/// <summary>
/// Input from the operator (a file, a setting) that cannot be used; carries every problem, not only the first.
/// </summary>
internal sealed class ProblemException : Exception
{
    public ProblemException(IReadOnlyList<Problem> problems)
        : base(string.Join(Environment.NewLine, problems)) => Problems = problems;

    public ProblemException(Problem problem)
        : this([problem])
    {
    }

    /// <summary>At least one.</summary>
    public IReadOnlyList<Problem> Problems { get; }
}
