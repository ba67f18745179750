using Gateway.Core.Authorization;
using Gateway.Core.Claims;
using Gateway.Foundation.Configuration;
using Gateway.Server.SignIn.Issuers;

namespace Gateway.Server.SignIn.Workloads;

/// <summary>Rules of the <c>authentication.workloads</c> section.</summary>
internal static class WorkloadOptionsValidator
{
    // Issuers at which anyone can have tokens issued. A rule must then say whose.
    private static readonly string[] Shared =
        ["https://token.actions.githubusercontent.com", "https://gitlab.com", "https://app.terraform.io", "https://"
            + "accounts.google.com"];

    private static readonly string[] OwnerClaims =
    [
        "repository", "repository_id", "repository_owner", "repository_owner_id", "enterprise", "enterprise_id",
        "project_path", "project_id", "namespace_path", "namespace_id", "email", "terraform_organization_id",
        "terraform_organization_name",
    ];

    /// <summary>Reports what is wrong.</summary>
    public static void Validate(Dictionary<string, WorkloadOptions> issuers, SettingScope scope)
    {
        var seen = new Dictionary<(string, string), string>();
        foreach (var (name, options) in issuers)
        {
            var at = scope.AtName(name);
            IssuerOptionsValidator.CheckName(name, at);
            IssuerOptionsValidator.Validate(options, at);
            if (options.Issuer.Length > 0 && !seen.TryAdd((options.Issuer, options.Audience), name))
            {
                at.At(nameof(options.Issuer)).Report(
                    $"is also the issuer of {seen[(options.Issuer, options.Audience)]}, with the same audience",
                    "Merge the rules of both into one.");
            }

            if (options.MaximumTokenLifetime is { } most)
            {
                at.At(nameof(options.MaximumTokenLifetime)).CheckRange(
                    most, TimeSpan.FromMinutes(1), TimeSpan.FromDays(3650));
            }

            foreach (var (claim, path) in options.Claims)
            {
                if (ClaimPath.Parse(path) is null || ClaimPath.Parse(claim) is null)
                {
                    at.At(nameof(options.Claims)).AtName(claim).Report(
                        "is not the path of a claim", "Write its names, separated by dots: kubernetes.io.namespace.");
                }
            }

            for (var i = 0; i < options.Rules.Count; i++)
            {
                Validate(options.Rules[i], options.Issuer, at.At(nameof(options.Rules)).At(i));
            }
        }
    }

    private static void Validate(WorkloadRuleOptions rule, string issuer, SettingScope scope)
    {
        if (rule.Subject is null or "*" && rule.Require.Values.All(static pattern => pattern is "*"))
        {
            scope.Report(
                "accepts every token that the issuer signs",
                "Restrict it with \"require\" and ids (repository_owner_id: \"1234\"), or with \"subject\".");
        }
        else if (Shared.Contains(issuer.TrimEnd('/')) && !NamesOwner(rule))
        {
            scope.Report(
                "does not say whose tokens it accepts, at an issuer where anyone can get a token",
                "Require an id of the owner, repository or project without \"*\" before it, such as "
                    + "repository_owner_id or project_id.");
        }

        foreach (var (claim, pattern) in rule.Require)
        {
            var at = scope.At(nameof(rule.Require)).AtName(claim);
            if (ClaimPath.Parse(claim) is null || pattern.Length == 0)
            {
                at.Report("is not a claim with a required value", "Write claim: value; * matches anything.");
            }
        }

        CheckTemplate(rule.As, scope.At(nameof(rule.As)));
        for (var i = 0; i < rule.Groups.Count; i++)
        {
            CheckTemplate(rule.Groups[i], scope.At(nameof(rule.Groups)).At(i));
        }

        if (rule.Scopes.Count > 0 && !CredentialLimit.TryParse(rule.Scopes, out _, out var fault))
        {
            scope.At(nameof(rule.Scopes)).Report(
                "cannot be read: " + fault.TrimEnd('.'), "Write scopes such as \"acme/**:pull,push\".");
        }

        scope.At(nameof(rule.Lifetime)).CheckRange(rule.Lifetime, TimeSpan.FromMinutes(1), TimeSpan.FromHours(24));
    }

    private static void CheckTemplate(string text, SettingScope scope)
    {
        if (text.Length > 0 && !ClaimTemplate.TryParse(text, out _))
        {
            scope.Report("is not a name with claims in braces",
                "Put the paths of claims in braces: gh-{repository_owner}.");
        }
    }

    private static bool NamesOwner(WorkloadRuleOptions rule) =>
        OwnerClaims.Any(claim => rule.Require.TryGetValue(claim, out var pattern) && HasFixedStart(pattern))
        || (rule.Subject is { } subject
            && subject.IndexOf(':', StringComparison.Ordinal) is var colon and > 0
            && HasFixedStart(subject[(colon + 1)..]));

    // Up to a slash, so that "acme*" is not good for "acme-evil/app" as well.
    private static bool HasFixedStart(string pattern)
    {
        var star = pattern.IndexOf('*', StringComparison.Ordinal);
        return star < 0 || pattern.AsSpan(0, star).IndexOfAny('/', '@') > 0;
    }
}
