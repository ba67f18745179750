using Gateway.Core.Authorization;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.Registry.Policies;

/// <summary>A reading of the policy folder.</summary>
/// <param name="Policy">The policies; denies everything where there are problems.</param>
/// <param name="FileCount">How many policy files were read.</param>
/// <param name="Problems">Why it cannot come into force.</param>
/// <param name="Files">What each file says by itself.</param>
internal sealed record PolicyReading(
    PolicySet Policy, int FileCount, IReadOnlyList<Problem> Problems, IReadOnlyCollection<PolicyFileReading> Files)
{
    private readonly Lazy<IReadOnlyList<Problem>> _warnings = new(
        () => new PolicyAssembly(Files, new ProblemCollector()).FindWarnings());

    /// <summary>What is allowed but hardly meant. Looked for when asked: a server does not ask.</summary>
    public IReadOnlyList<Problem> Warnings => _warnings.Value;

    /// <summary>The policies.</summary>
    /// <exception cref="ProblemException">Something is wrong; every problem is in it.</exception>
    public PolicySet PolicyOrProblems() => Problems is [] ? Policy : throw new ProblemException(Problems);
}
