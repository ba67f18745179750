using System.Text.RegularExpressions;
using Gateway.Core.Authorization;
using Gateway.Foundation.Configuration;
using Gateway.Server.SignIn.Authentication;

namespace Gateway.Server.SignIn.Workloads;

/// <summary>
/// Patterns of GitHub's <c>sub</c> that only match its older form, without ids. Jobs of repositories that were created
/// or renamed since July 2026 have <c>repo:acme@12/app@34:ref:…</c>, so that such a rule says nothing about them.
/// </summary>
/// <remarks>
/// GitHub's documentation, "Immutable subject claims". It does not apply to GitHub Enterprise Server, which has the
/// older form.
/// </remarks>
internal static partial class GitHubSubjects
{
    private const string Prefix = "repo:";

    private const string What =
        "GitHub jobs of repositories created or renamed since July 2026 do not match it: "
        + "their sub has ids, repo:OWNER@ID/NAME@ID:…";

    private const string FixOfRule =
        "Replace it with require: { repository_owner_id: \"…\" } (gh api users/OWNER --jq .id), "
        + "or add a rule with the newer form.";

    private const string FixOfPolicy =
        "Replace it with when: { repository_id: \"…\" } (gh api repos/OWNER/NAME --jq .id), "
        + "or add the newer form to the list.";

    /// <summary>Rules of <c>authentication.workloads</c> with such a pattern, one problem each.</summary>
    public static IEnumerable<Problem> OfRules(AuthenticationOptions authentication)
    {
        foreach (var (name, issuer) in authentication.Workloads.Where(static entry => IsGitHub(entry.Value.Issuer)))
        {
            var patterns = issuer.Rules.SelectMany(static (rule, i) => PatternsOf(rule, $"rules[{i}]")).ToList();
            var older = OnlyOlder([.. patterns.Select(static entry => entry.Pattern)])
                .ToHashSet(StringComparer.Ordinal);
            foreach (var (key, pattern) in patterns.Where(entry => older.Contains(entry.Pattern)))
            {
                yield return new Problem($"authentication.workloads.{name}.{key}", What, pattern, FixOfRule);
            }
        }
    }

    /// <summary>Conditions of policies with such a pattern, where they are about jobs of GitHub.</summary>
    public static IEnumerable<Problem> OfPolicies(AuthenticationOptions authentication, PolicyDefinition policy)
    {
        var issuers = authentication.Workloads.Where(static entry => IsGitHub(entry.Value.Issuer)).ToList();
        foreach (var rule in policy.Rules)
        {
            foreach (var claim in rule.When.Claims.Where(claim =>
                issuers.Exists(issuer => IsAbout(rule, issuer.Key) && IsSubject(claim.Name, issuer.Value))))
            {
                foreach (var pattern in OnlyOlder([.. claim.Values.Select(static value => value.Text)]))
                {
                    yield return new Problem(
                        $"{rule.Identity.File}:{rule.Identity.Line}",
                        $"rule \"{rule.Identity.Name}\": {claim.Name}: {What}", pattern, FixOfPolicy);
                }
            }
        }
    }

    /// <summary>Whether an issuer is GitHub, or GitHub Enterprise Cloud with its data in one place.</summary>
    internal static bool IsGitHub(string issuer) =>
        Uri.TryCreate(issuer, UriKind.Absolute, out var address)
        && (address.Host == "token.actions.githubusercontent.com"
            || (address.Host.StartsWith("token.actions.", StringComparison.Ordinal)
                && address.Host.EndsWith(".ghe.com", StringComparison.Ordinal)));

    /// <summary>
    /// The patterns that only match the older form, where none of the others matches the same repositories' newer one.
    /// </summary>
    internal static IEnumerable<string> OnlyOlder(IReadOnlyCollection<string> patterns)
    {
        var newer = patterns.Where(static pattern => !IsOlder(pattern))
            .Select(static pattern => new Glob(Id().Replace(pattern, ""))).ToList();
        return patterns.Where(pattern => IsOlder(pattern) && !newer.Exists(other => other.Matches(pattern)));
    }

    // A half that ends in a star may have an id behind its name. What does not begin as GitHub's own form does was
    // chosen by the organization (a template of claims), and has no ids put into it.
    private static bool IsOlder(string pattern)
    {
        if (!pattern.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return false;
        }

        var end = pattern.IndexOf(':', Prefix.Length);
        var name = pattern[Prefix.Length..(end < 0 ? pattern.Length : end)];
        return name.IndexOf('/', StringComparison.Ordinal) is var slash and >= 0
            && (IsBare(name[..slash]) || IsBare(name[(slash + 1)..]));

        static bool IsBare(string half) => !half.EndsWith('*') && !half.Contains('@', StringComparison.Ordinal);
    }

    private static IEnumerable<(string Key, string Pattern)> PatternsOf(WorkloadRuleOptions rule, string key)
    {
        if (rule.Subject is { } subject)
        {
            yield return ($"{key}.subject", subject);
        }

        if (rule.Require.GetValueOrDefault("sub") is { } required)
        {
            yield return ($"{key}.require.sub", required);
        }
    }

    private static bool IsAbout(PolicyRule rule, string issuer) =>
        (rule.To.IsEmpty
            || rule.To.Any(selector => selector.Kind is not SubjectSelectorKind.Issuer || selector.Name == issuer))
        && (rule.When.Methods.IsEmpty || rule.When.Methods.Any(method => method.Matches($"issuer:{issuer}")));

    // The operator may have given the name "sub" to another claim, and another name to sub.
    private static bool IsSubject(string claim, WorkloadOptions issuer) =>
        (issuer.Claims.GetValueOrDefault(claim) ?? claim) == "sub";

    [GeneratedRegex("@[0-9*]+")]
    private static partial Regex Id();
}
