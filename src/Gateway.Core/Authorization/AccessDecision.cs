namespace Gateway.Core.Authorization;

/// <summary>
/// The policy's answer, with the rule that made it. Answers, explanations and audit lines come from it.
/// </summary>
/// <param name="IsAllowed">Whether every action asked for is granted.</param>
/// <param name="Rule">
/// The rule that decided: the deny that took away what was granted, or the allow that granted the strongest action
/// asked for; <see langword="null"/> where an action is granted by no rule, which refuses whatever denies say.
/// </param>
/// <param name="Missing">The actions that no rule grants, else those that a deny took away; none where allowed.</param>
public sealed record AccessDecision(bool IsAllowed, RuleIdentity? Rule, RepositoryActions Missing);

/// <summary>What names a rule to a person: its name and its place.</summary>
/// <param name="Name">The rule's <c>name</c>.</param>
/// <param name="File">The policy file, relative to the policy folder.</param>
/// <param name="Line">The rule's first line, from 1.</param>
public sealed record RuleIdentity(string Name, string File, int Line)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Name} ({File}:{Line})";
}
