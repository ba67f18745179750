using Gateway.Core.Authorization;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.Registry.Policies;

/// <summary>Asks the questions beside the policies and compares the answers.</summary>
internal static class PolicyTests
{
    /// <summary>Asks every question of a folder's <c>*.test.yaml</c>.</summary>
    /// <param name="policy">Who is asked.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="requiresEnd">Whether each file must end with <c>...</c>.</param>
    /// <exception cref="ProblemException">A test file is wrong.</exception>
    public static PolicyTestReport Run(PolicySet policy, string folder, bool requiresEnd = false)
    {
        var problems = new ProblemCollector();
        var tests = PolicyFolder.Files(folder, problems)
            .Where(static path => path.EndsWith(PolicyFolder.TestSuffix, StringComparison.Ordinal))
            .SelectMany(path => PolicyTestFile.Read(path, requiresEnd, problems)).ToList();
        problems.ThrowIfAny();
        return new PolicyTestReport(tests.Count, [.. tests.Select(test => Failure(policy, test)).OfType<Problem>()]);
    }

    private static Problem? Failure(PolicySet policy, PolicyTest test)
    {
        var explanation = policy.Explain(test.Request, int.MaxValue);
        var decision = explanation.Decision;
        if (decision.IsAllowed != test.IsAllowed)
        {
            return Describe(
                decision.IsAllowed ? "allowed, but deny was expected" : "denied, but allow was expected");
        }

        var rule = decision.Rule is null ? "no rule" : $"rule \"{decision.Rule.Name}\"";
        return test.Rule is null || test.Rule == decision.Rule?.Name
            ? null
            : Describe($"decided by {rule}, but \"{test.Rule}\" was expected");

        Problem Describe(string what) =>
            new(
                test.Place,
                $"\"{test.Name}\": {what}: {explanation.Reason}",
                null,
                "Change the policy or the expectation.");
    }
}

/// <summary>How a run of policy tests went.</summary>
/// <param name="Count">How many questions were asked.</param>
/// <param name="Failures">Those that were answered otherwise, with the reason.</param>
internal sealed record PolicyTestReport(int Count, IReadOnlyList<Problem> Failures);
