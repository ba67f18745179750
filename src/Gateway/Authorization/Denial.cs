using Gateway.Core.Authorization;
using Gateway.Core.Registry;

namespace Gateway.Authorization;

/// <summary>Tells a known caller why policy refused: from policy and caller alone, never from what exists upstream.</summary>
internal static class Denial
{
    /// <summary>The 403, with the rule or the missing grant in its message and detail.</summary>
    /// <param name="policy">The policies that decided.</param>
    /// <param name="access">What was asked.</param>
    /// <param name="decision">The refusal.</param>
    /// <param name="reason">What a person needs besides the rule, or <see langword="null"/>.</param>
    public static RegistryError Describe(
        PolicySet policy, in AccessRequest access, AccessDecision decision, string? reason)
    {
        var missing = ActionNames.Of(decision.Missing);
        var target = access.Tag.Tag is { } tag ? $"{access.Repository}:{tag}" : access.Repository.Value;
        var why = decision.Rule is { } rule
            ? $"rule \"{rule.Name}\" denies it"
            : "no rule grants it";
        var detail = new Dictionary<string, string>
        {
            ["subject"] = access.Subject.ToString(),
            ["missing"] = missing,
            ["repository"] = access.Repository.Value,
        };
        if (decision.Rule is not null)
        {
            detail["rule"] = decision.Rule.ToString();
        }

        if (reason is not null)
        {
            detail["reason"] = reason;
        }

        if (decision.Rule is null && policy.Explain(access).NearestMisses is [var nearest, ..])
        {
            detail["nearest"] = nearest.ToString();
        }

        var because = reason is null ? why : $"{reason}: {why}";
        return RegistryError.Denied($"{access.Subject} may not {missing} {target}: {because}") with { Detail = detail };
    }
}
