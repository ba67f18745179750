using Gateway.Core.Authorization;
using Gateway.Core.Claims;
using Gateway.Foundation.Configuration;
using Gateway.Server.SignIn.Issuers;

namespace Gateway.Server.SignIn.Oidc;

/// <summary>Rules of the <c>authentication.oidc</c> section.</summary>
internal static class OidcOptionsValidator
{
    private static readonly string[] OwnParameters =
        [
            "client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "code_challenge",
            "code_challenge_method", "request", "request_uri",
        ];

    /// <summary>Reports what is wrong.</summary>
    public static void Validate(Dictionary<string, OidcOptions> providers, SettingScope scope)
    {
        foreach (var (name, options) in providers)
        {
            var at = scope.AtName(name);
            IssuerOptionsValidator.CheckName(name, at);
            IssuerOptionsValidator.Validate(options, at);
            Validate(options, at);
        }
    }

    private static void Validate(OidcOptions options, SettingScope scope)
    {
        if (!options.Scopes.Contains("openid"))
        {
            scope.At(nameof(options.Scopes)).Report("lacks openid, without which a provider identifies no one",
                "Add openid.");
        }

        foreach (var name in options.Parameters.Keys.Intersect(OwnParameters))
        {
            scope.At(nameof(options.Parameters)).AtName(name).Report("is a parameter that the gateway sets itself",
                "Leave it out.");
        }

        CheckPath(options.NameClaim, scope.At(nameof(options.NameClaim)));
        if (options.Groups.Claim.Length > 0)
        {
            CheckPath(options.Groups.Claim, scope.At(nameof(options.Groups)).At(nameof(options.Groups.Claim)));
        }

        foreach (var (claim, pattern) in options.Require)
        {
            var at = scope.At(nameof(options.Require)).AtName(claim);
            if (ClaimPath.Parse(claim) is null || pattern.Length == 0)
            {
                at.Report("is not a claim with a required value", "Write claim: value; * matches anything.");
            }
        }

        foreach (var (name, path) in options.Claims)
        {
            if (ClaimPath.Parse(name) is null || ClaimPath.Parse(path) is null)
            {
                scope.At(nameof(options.Claims)).AtName(name).Report(
                    "is not the path of a claim", "Write its names, separated by dots: org.department.");
            }
        }

        foreach (var (group, here) in options.Groups.Map)
        {
            if (!SubjectSelector.IsName(here))
            {
                scope.At(nameof(options.Groups)).At(nameof(options.Groups.Map)).AtName(group).Report(
                    "is not a name that a policy could use",
                    "Use 1 to 256 characters, without control characters and without spaces at either end.");
            }
        }

        if (options.AdminGroup is { } admins && !SubjectSelector.IsName(admins))
        {
            scope.At(nameof(options.AdminGroup)).Report("is not a group name",
                "Write the name that the group has in the gateway, after map and prefix.");
        }

        scope.At(nameof(options.RevalidateEvery)).CheckRange(
            options.RevalidateEvery, TimeSpan.FromSeconds(10), TimeSpan.FromHours(24));
        scope.At(nameof(options.TrustWithoutRefresh)).CheckRange(
            options.TrustWithoutRefresh, TimeSpan.FromHours(1), TimeSpan.FromDays(30));
    }

    private static void CheckPath(string text, SettingScope scope)
    {
        if (ClaimPath.Parse(text) is null)
        {
            scope.Report("is not the path of a claim", "Write its names, separated by dots: realm_access.roles.");
        }
    }
}
