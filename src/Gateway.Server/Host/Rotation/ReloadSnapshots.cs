using System.Collections.Immutable;
using System.Security.Cryptography;
using Gateway.Core.Authorization;
using Gateway.Core.RateLimiting;
using Gateway.Server.Records.Audit;
using Gateway.Server.Requests.Tls;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.SignIn.ClientCertificates;
using Gateway.Server.Store.Keys;

namespace Gateway.Server.Host.Rotation;

/// <summary>
/// What a value read from files holds, as names and what tells whether the thing named is still the same. What is
/// behind a name is only compared here, never written: it can be a hash.
/// </summary>
internal static class ReloadSnapshots
{
    /// <summary>The users.</summary>
    public static Snapshot Take(HtpasswdFile users) => new([
        ("users",
            users.Names.ToDictionary(static name => name, name => users.Find(name)!.Text, StringComparer.Ordinal)),
    ]);

    /// <summary>What distinguishes policies from earlier ones: rules and groups.</summary>
    /// <remarks>
    /// What a reload took over from the files that did not change is the same object and needs no words: only the rest
    /// is written out, which may be a hundred thousand rules, or one.
    /// </remarks>
    public static IReadOnlyList<Difference> Compare(PolicySet before, PolicySet after)
    {
        var (old, now) = (before.Definition, after.Definition);
        return Take(Without(now.Rules, old.Rules), Without(now.Groups, old.Groups))
            .Since(Take(Without(old.Rules, now.Rules), Without(old.Groups, now.Groups)));
    }

    /// <summary>The rules and groups.</summary>
    public static Snapshot Take(PolicySet policies) => Take(policies.Definition.Rules, policies.Definition.Groups);

    private static IEnumerable<T> Without<T>(ImmutableArray<T> all, ImmutableArray<T> others)
        where T : class
    {
        var known = new HashSet<T>(others, ReferenceEqualityComparer.Instance);
        return all.Where(one => !known.Contains(one));
    }

    private static Snapshot Take(IEnumerable<PolicyRule> policyRules, IEnumerable<PolicyGroup> policyGroups)
    {
        var rules = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var rule in policyRules)
        {
            // Two rules may have one name; the second is told apart by its number.
            var name = $"{rule.Identity.Name} ({rule.Identity.File})";
            var number = 2;
            for (var key = name; !rules.TryAdd(key, Describe(rule)); number++)
            {
                key = FormattableString.Invariant($"{name} #{number}");
            }
        }

        var groups = policyGroups
            .GroupBy(static group => group.Name, StringComparer.Ordinal)
            .ToDictionary(
                static group => group.Key,
                static group => string.Join('\n', group.SelectMany(static one => one.Members)
                    .Select(static member => member.ToString()).Order(StringComparer.Ordinal)),
                StringComparer.Ordinal);
        return new Snapshot([("rules", rules), ("groups", groups)]);
    }

    /// <summary>The certificates.</summary>
    public static Snapshot Take(CertificateSet certificates)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var certificate in certificates.Certificates)
        {
            names.TryAdd($"{certificate.DisplayName} sha256:{certificate.Fingerprint}", "");
        }

        return new Snapshot([("certificates", names)]);
    }

    /// <summary>The authorities of client certificates, and how many each has revoked.</summary>
    public static Snapshot Take(ClientCertificateTrust trust)
    {
        var authorities = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var authority in trust.Roots.Concat(trust.Intermediates))
        {
            authorities.TryAdd(
                $"{authority.Subject} sha256:"
                    + $"{authority.GetCertHashString(HashAlgorithmName.SHA256).ToLowerInvariant()}", "");
        }

        return new Snapshot([
            ("authorities", authorities),
            ("revocationLists", trust.Lists
                .GroupBy(static entry => entry.Authority.Subject, static entry => entry.List, StringComparer.Ordinal)
                .ToDictionary(
                    static group => group.Key,
                    static group => string.Join(
                        '\n',
                        group.Select(static list => FormattableString.Invariant($"{list.Count} {list.NextUpdate:u}"))),
                    StringComparer.Ordinal)),
        ]);
    }

    /// <summary>The signing keys, by their public ids.</summary>
    public static Snapshot Take(SigningKeyRing keys) => new([
        ("keys", keys.Keys.ToDictionary(
            static key => key.Id,
            static key => AuditText.Format(key.ActiveFrom),
            StringComparer.Ordinal)),
    ]);

    /// <summary>The limits.</summary>
    public static Snapshot Take(LimitSet limits) => new([
        ("limits", limits.Rules.ToDictionary(
            static rule => rule.Name,
            static rule => string.Join(
                '\n', rule.To, rule.Classes, rule.Per, string.Join('|', rule.Repositories), rule.Quota),
            StringComparer.Ordinal)),
    ]);

    // Records with lists in them are compared by reference, so every part is written out.
    private static string Describe(PolicyRule rule) => string.Join(
        '\n',
        rule.Effect, rule.Actions,
        string.Join('|', rule.To), string.Join('|', rule.Unless), string.Join('|', rule.On),
        string.Join('|', rule.Tags),
        string.Join('|', rule.Registries), string.Join('|', rule.When.Addresses), rule.When.Time?.ToString() ?? "",
        string.Join('|', rule.When.Methods),
        string.Join('|', rule.When.Claims.Select(static claim => $"{claim.Name}={string.Join(',', claim.Values)}")));
}

/// <summary>Sets of named things.</summary>
/// <param name="Sets">What they are, and names with what they mean.</param>
internal sealed record Snapshot(IReadOnlyList<(string Of, Dictionary<string, string> Items)> Sets)
{
    /// <summary>What distinguishes this from an earlier one of the same kind.</summary>
    public IReadOnlyList<Difference> Since(Snapshot before) =>
    [
        .. Sets.Zip(before.Sets, static (after, old) => Difference.Between(after.Of, old.Items, after.Items))
            .Where(static difference => !difference.IsEmpty),
    ];
}
