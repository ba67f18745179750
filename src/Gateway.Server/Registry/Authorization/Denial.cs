using Gateway.Core.Authorization;
using Gateway.Core.Registry;

namespace Gateway.Server.Registry.Authorization;

/// <summary>
/// Tells a known caller why policy refused: from policy and caller alone, never from what exists upstream.
/// </summary>
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
        var explanation = policy.Explain(access);
        var target = access.Tag.Tag is { } tag ? $"{access.Repository}:{tag}" : access.Repository.Value;
        var missing = ActionNames.Format(decision.Missing);
        var detail = new Dictionary<string, string>
        {
            ["subject"] = access.Subject.ToString(),
            ["repository"] = access.Repository.Value,
            ["missing"] = missing,
        };
        if (decision.Rule is not null)
        {
            detail["rule"] = decision.Rule.Name;
        }

        if (explanation.NearMisses.FirstOrDefault(
            static miss => miss.CallerText is not null)?.CallerText is { } nearest)
        {
            detail["nearest"] = nearest;
        }

        var why = reason is null ? explanation.CallerReason : $"{reason}: {explanation.CallerReason}";
        return RegistryError.Denied($"{access.Subject} may not {missing} {target}: {why}") with { Detail = detail };
    }

    /// <summary>The 403 for a credential that may do less than its owner.</summary>
    /// <param name="access">What was asked.</param>
    /// <param name="beyond">Which of the actions the limit lacks.</param>
    /// <param name="limit">The limit; its holder knows it, or may.</param>
    public static RegistryError DescribeLimit(in AccessRequest access, RepositoryActions beyond, CredentialLimit limit)
    {
        var missing = ActionNames.Format(beyond);
        var text = limit.ToString();
        return RegistryError.Denied(
            $"the token of {access.Subject} may not {missing} {access.Repository}: it is limited to {Shorten(text)}; "
            + "use a token for this repository, or sign in with the password") with
        {
            Detail = new Dictionary<string, string>
            {
                ["subject"] = access.Subject.ToString(),
                ["repository"] = access.Repository.Value,
                ["missing"] = missing,
                ["limit"] = text,
            },
        };
    }

    /// <summary>The same refusal, as HEAD of a blob is answered: 404, as of a blob that is not there.</summary>
    /// <remarks>
    /// HEAD has no body to say why, and every client but docker's own store begins a push with it: after a 403 it gives
    /// up without a word. After a 404 it goes on to the POST, whose 403 says why. It tells nothing, since the upstream
    /// is not asked; and no pull looks for a blob before it has its manifest, whose HEAD stays 403. The code, which
    /// audit and metrics go by, stays what it is.
    /// </remarks>
    public static RegistryError ForHead(RegistryRequest request, RegistryError denial) =>
        request is { Operation: RegistryOperation.ReadBlob, Method: RegistryMethod.Head }
            ? denial with { StatusCode = 404 }
            : denial;

    private static string Shorten(string text) => text.Length <= 200 ? text : text[..200] + "…";
}
