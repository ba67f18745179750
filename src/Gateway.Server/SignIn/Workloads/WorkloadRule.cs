using System.Buffers.Text;
using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gateway.Core.Authorization;
using Gateway.Core.Claims;
using Gateway.Server.SignIn.Issuers;

namespace Gateway.Server.SignIn.Workloads;

/// <summary>One rule, read: which tokens it accepts, and as whom.</summary>
internal sealed class WorkloadRule
{
    private const int LongestName = 200;
    private const int MostClaims = 64;
    private const int LongestClaim = 512;

    // What is about the token, not about the job.
    private static readonly FrozenSet<string> OfTheToken =
        FrozenSet.ToFrozenSet(["aud", "exp", "iat", "nbf", "jti", "nonce", "at_hash", "c_hash", "auth_time"]);

    private readonly string _issuerName;
    private readonly Glob? _subject;
    private readonly (ClaimPath Claim, Glob Value)[] _required;
    private readonly ClaimTemplate _name;
    private readonly ClaimTemplate[] _groups;
    private readonly (string Name, ClaimPath Path)[] _claims;

    /// <param name="issuerName">The issuer's name in the configuration.</param>
    /// <param name="issuer">Its options, valid.</param>
    /// <param name="rule">The rule's options, valid.</param>
    public WorkloadRule(string issuerName, WorkloadOptions issuer, WorkloadRuleOptions rule)
    {
        _issuerName = issuerName;
        Name = rule.Name;
        Lifetime = rule.Lifetime;
        _subject = rule.Subject is null ? null : new Glob(rule.Subject);
        _required = [.. rule.Require.Select(static entry => (ClaimPath.Parse(entry.Key)!, new Glob(entry.Value)))];
        _name = Parse(rule.As);
        _groups = [.. rule.Groups.Select(Parse)];
        _claims = [.. issuer.Claims.Select(static entry => (entry.Key, ClaimPath.Parse(entry.Value)!))];
        Limit = rule.Scopes.Count > 0 && CredentialLimit.TryParse(rule.Scopes, out var limit, out _) ? limit : null;
        Evidence = EvidenceOf(issuerName, issuer, rule);
    }

    /// <summary>Its name, for records.</summary>
    public string Name { get; }

    /// <summary>How long a credential that it creates lasts.</summary>
    public TimeSpan Lifetime { get; }

    /// <summary>The most that its credentials may do.</summary>
    public CredentialLimit? Limit { get; }

    /// <summary>
    /// Identifies the rule's whole text: once it is changed, what the old one accepted is no longer good.
    /// </summary>
    public string Evidence { get; }

    /// <summary>Whether this rule accepts a token.</summary>
    public bool Matches(IdToken token)
    {
        if (_subject is not null && !_subject.Matches(token.Subject))
        {
            return false;
        }

        foreach (var (claim, value) in _required)
        {
            if (claim.FindText(token.Claims) is not { } found || !value.Matches(found))
            {
                return false; // a claim that is missing matches nothing, "*" included
            }
        }

        return true;
    }

    /// <summary>The subject of a token.</summary>
    /// <param name="token">One that matches.</param>
    /// <param name="fault">Why there is none: a claim is missing, or gives no name.</param>
    public Subject? SubjectOf(IdToken token, out string? fault)
    {
        fault = null;
        if (Render(_name, token.Claims, ref fault) is not { } name)
        {
            return null;
        }

        var groups = new string[_groups.Length];
        for (var i = 0; i < groups.Length; i++)
        {
            if (Render(_groups[i], token.Claims, ref fault) is not { } group)
            {
                return null;
            }

            groups[i] = group;
        }

        var subject = new Subject
        {
            Kind = SubjectKind.Workload,
            Name = $"{_issuerName}/{name}", // two issuers' names never meet
            Method = $"issuer:{_issuerName}",
            Groups = groups,
            Claims = ClaimsOf(token.Claims, ref fault),
        };
        return fault is null ? subject : null; // also a claim that the subject carries may be missing
    }

    private static ClaimTemplate Parse(string text) => ClaimTemplate.TryParse(text, out var template)
        ? template
        : throw new FormatException("the workload rules were not validated");

    private string? Render(ClaimTemplate template, JsonElement claims, ref string? fault)
    {
        if (template.Render(claims, out var missing) is not { } text)
        {
            fault = $"the rule \"{Name}\" needs its claim {missing}, which is missing or not text";
            return null;
        }

        if (text.Length > LongestName || text.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            fault = $"the rule \"{Name}\" builds a name from its claims that is longer than {LongestName} characters "
                + "or holds a space or a character outside ASCII";
            return null;
        }

        return text;
    }

    // None is left out for being too many: a deny may depend on it.
    private FrozenDictionary<string, string> ClaimsOf(JsonElement claims, ref string? fault)
    {
        var found = new Dictionary<string, string>();
        foreach (var claim in claims.EnumerateObject())
        {
            if (!OfTheToken.Contains(claim.Name) && ClaimPath.TextOf(claim.Value) is { } text)
            {
                found[claim.Name] = text;
            }
        }

        foreach (var (name, path) in _claims)
        {
            if (path.FindText(claims) is { } text)
            {
                found[name] = text;
            }
            else
            {
                found.Remove(name); // the operator's meaning of the name, never the issuer's own claim of that name
            }
        }

        if (found.Count > MostClaims || found.Values.Any(static value => value.Length > LongestClaim))
        {
            fault ??= $"it has more than {MostClaims} claims, or a claim of more than {LongestClaim} characters";
        }

        return found.ToFrozenDictionary();
    }

    private static string EvidenceOf(string issuerName, WorkloadOptions issuer, WorkloadRuleOptions rule)
    {
        // Fields one by one, each with its length before it: "ab" + "c" must not be "a" + "bc".
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var fields = new[] { issuerName, issuer.Issuer, issuer.Audience, rule.Name, rule.Subject ?? "", rule.As }
            .Concat(
                rule.Require.OrderBy(static e => e.Key, StringComparer.Ordinal).SelectMany(
                    static e => new[] { e.Key, e.Value })).Append("|")
            .Concat(rule.Groups).Append("|")
            .Concat(rule.Scopes).Append("|")
            .Concat(
                issuer.Claims.OrderBy(static e => e.Key, StringComparer.Ordinal).SelectMany(
                    static e => new[] { e.Key, e.Value }));
        foreach (var field in fields)
        {
            var bytes = Encoding.UTF8.GetBytes(field);
            hash.AppendData(BitConverter.GetBytes(bytes.Length));
            hash.AppendData(bytes);
        }

        return Base64Url.EncodeToString(hash.GetHashAndReset().AsSpan(0, 12));
    }
}
