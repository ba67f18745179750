using System.Collections.Immutable;

namespace Gateway.Core.Authorization;

/// <summary>
/// A decision and how it came about, in words. It speaks from policy and caller alone, never from what exists.
/// </summary>
/// <param name="Decision">The decision, the same that <see cref="PolicySet.Evaluate"/> gives.</param>
/// <param name="Reason">One sentence for the operator.</param>
/// <param name="CallerReason">
/// The same for the caller, without what a caller should not learn: other users' names, addresses, values of claims.
/// </param>
/// <param name="Matches">The rules that match the request, denies first; none where nothing does.</param>
/// <param name="NearMisses">
/// Allows that would have given what is missing, but for one thing; nearest first, at most five; none where allowed.
/// </param>
public sealed record PolicyExplanation(
    AccessDecision Decision,
    string Reason,
    string CallerReason,
    ImmutableArray<RuleMatch> Matches,
    ImmutableArray<NearMiss> NearMisses);

/// <summary>A rule that matches a request.</summary>
/// <param name="Rule">The rule.</param>
/// <param name="Effect">Whether it grants or refuses.</param>
/// <param name="Actions">Which of the actions asked for.</param>
/// <param name="Text">The rule as a sentence, for the operator.</param>
public sealed record RuleMatch(RuleIdentity Rule, RuleEffect Effect, RepositoryActions Actions, string Text);

/// <summary>An allow that misses by one thing.</summary>
/// <param name="Rule">The rule.</param>
/// <param name="Text">What it grants, and why it does not apply, for the operator.</param>
/// <param name="CallerText">
/// The same for the caller; <see langword="null"/> where the rule is only about other users or robots by name, which is
/// none of the caller's business and nothing to ask for.
/// </param>
public sealed record NearMiss(RuleIdentity Rule, string Text, string? CallerText);
