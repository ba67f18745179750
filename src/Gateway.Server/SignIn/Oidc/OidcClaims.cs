using System.Text.Json;
using Gateway.Core.Authorization;
using Gateway.Core.Claims;
using Gateway.Foundation.Text;
using Gateway.Server.SignIn.Authentication;

namespace Gateway.Server.SignIn.Oidc;

/// <summary>Reads people from claims, by the configuration of one provider.</summary>
internal sealed class OidcClaims(string provider, OidcOptions options)
{
    private const string EmailClaim = "email", VerifiedClaim = "email_verified";

    private readonly ClaimPath _name = ClaimPath.Parse(options.NameClaim)!;
    private readonly ClaimPath? _groups = options.Groups.Claim.Length == 0
        ? null
        : ClaimPath.Parse(options.Groups.Claim);
    private readonly Glob[] _only = [.. options.Groups.Only.Select(static pattern => new Glob(pattern))];

    private readonly (ClaimPath Path, Glob Glob)[] _required =
        [.. options.Require.Select(static pair => (ClaimPath.Parse(pair.Key)!, new Glob(pair.Value)))];

    private readonly (string Name, ClaimPath Path)[] _seen =
        [.. options.Claims.Select(static pair => (pair.Key, ClaimPath.Parse(pair.Value)!))];

    private readonly bool _usesEmail = options.NameClaim == EmailClaim || options.Require.ContainsKey(EmailClaim)
        || options.Claims.ContainsValue(EmailClaim);

    /// <summary>Whether claims lack something that the provider may send elsewhere (the userinfo endpoint).</summary>
    public bool LackSomething(JsonElement claims) =>
        _name.FindText(claims) is null
        || (_groups is not null && _groups.Find(claims) is null)
        || _required.Any(required => required.Path.Find(claims) is null)
        || _seen.Any(seen => seen.Path.Find(claims) is null)
        || (_usesEmail && !claims.TryGetProperty(VerifiedClaim, out _));

    /// <summary>Reads a person.</summary>
    /// <param name="subject"><c>sub</c>.</param>
    /// <param name="claims">All of their claims, an object.</param>
    /// <exception cref="OidcException">The person may not sign in, and why.</exception>
    public OidcPerson Read(string subject, JsonElement claims)
    {
        foreach (var (path, glob) in _required)
        {
            if (path.FindTexts(claims) is not { } texts || !texts.Any(text => glob.Matches(text)))
            {
                throw new OidcException(
                    "your account is not allowed to use this registry; ask the registry's operator for access",
                    $"the required claim {path} of sub \"{PrintableName.Of(subject)}\" is "
                        + $"{Found(path, claims)}, where \"{glob.Text}\" is expected (require)");
            }
        }

        // A provider may let people write any address into their profile: alice@example.com must be hers.
        var isVerified = claims.TryGetProperty(VerifiedClaim, out var verified)
            && verified.ValueKind is JsonValueKind.True or JsonValueKind.String && ClaimPath.TextOf(verified) == "true";
        if (!isVerified && (options.NameClaim == EmailClaim || options.Require.ContainsKey(EmailClaim)))
        {
            throw new OidcException(
                "your provider has not verified your email address",
                $"email_verified of sub \"{PrintableName.Of(subject)}\" is not true, and "
                    + $"{(options.NameClaim == EmailClaim ? "nameClaim" : "require")} is about email");
        }

        if (_name.FindText(claims) is not { } name)
        {
            throw new OidcException(
                "your provider does not send your name to this registry; ask the registry's operator",
                $"there is no claim {_name} (nameClaim) in the ID token or the userinfo; request the scope that "
                + "provides it, or set another claim");
        }

        if (!UserName.IsValid(name))
        {
            throw new OidcException(
                $"your provider calls you \"{PrintableName.Of(name)}\", which is not a user name here. {UserName.Rule}",
                $"the claim {_name} is \"{PrintableName.Of(name)}\", which is not a user name");
        }

        var qualified = options.Names == NameForm.Qualified ? provider + SignInMethods.SourceSeparator + name : name;
        return new OidcPerson(subject, qualified, GroupsOf(claims), ClaimsOf(claims, isVerified));
    }

    private IReadOnlyList<string> GroupsOf(JsonElement claims)
    {
        if (_groups is null)
        {
            return [];
        }

        // Entra ID leaves the groups out where they are too many (OpenID Connect Core, section 5.6.2): a deny may
        // depend on one.
        if (claims.TryGetProperty("_claim_names", out var elsewhere) && elsewhere.ValueKind == JsonValueKind.Object
            && elsewhere.TryGetProperty(_groups.Text, out _))
        {
            throw new OidcException(
                "your provider does not send all of your groups; ask the registry's operator",
                $"the provider left out the claim {_groups} (_claim_names), since there are too many groups: "
                + "have it send only groups that are assigned to this client");
        }

        if (_groups.Find(claims) is null)
        {
            return [];
        }

        if (_groups.FindTexts(claims) is not { } texts)
        {
            throw new OidcException(
                "this registry cannot read the groups that your provider sends; ask the registry's operator",
                $"the claim {_groups} (groups.claim) is not a list of strings: {Found(_groups, claims)}");
        }

        return [.. texts
            .Where(text => _only.Length == 0 || Array.Exists(_only, glob => glob.Matches(text)))
            .Select(
                text => options.Groups.Map.TryGetValue(text, out var mapped) ? mapped : options.Groups.Prefix + text)
            .Where(SubjectSelector.IsName) // no policy could name any other
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal)];
    }

    private Dictionary<string, string> ClaimsOf(JsonElement claims, bool isEmailVerified)
    {
        var seen = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, path) in _seen)
        {
            if ((path.Text != EmailClaim || isEmailVerified) && path.FindText(claims) is { } text)
            {
                seen[name] = text;
            }
        }

        return seen;
    }

    private static string Found(ClaimPath path, JsonElement claims) =>
        path.Find(claims) is { } value ? PrintableName.Of(value.GetRawText()) : "missing";
}
