using System.Text.Json;
using Gateway.Core.Authorization;
using Gateway.Core.Claims;
using Gateway.Foundation.Text;
using Gateway.Server.SignIn.Authentication;

namespace Gateway.Server.SignIn.Oidc;

/// <summary>Makes persons of claims, by the configuration of one provider.</summary>
internal sealed class OidcClaims(string provider, OidcOptions options)
{
    private const string EmailClaim = "email", VerifiedClaim = "email_verified";

    private readonly ClaimPath _name = ClaimPath.Parse(options.NameClaim)!;
    private readonly ClaimPath? _groups = options.Groups.Claim.Length == 0 ? null : ClaimPath.Parse(options.Groups.Claim);
    private readonly Glob[] _only = [.. options.Groups.Only.Select(static pattern => new Glob(pattern))];

    private readonly (ClaimPath Path, Glob Glob)[] _required =
        [.. options.Require.Select(static pair => (ClaimPath.Parse(pair.Key)!, new Glob(pair.Value)))];

    private readonly (string Name, ClaimPath Path)[] _seen =
        [.. options.Claims.Select(static pair => (pair.Key, ClaimPath.Parse(pair.Value)!))];

    private readonly bool _usesEmail = options.NameClaim == EmailClaim || options.Require.ContainsKey(EmailClaim)
        || options.Claims.ContainsValue(EmailClaim);

    /// <summary>Whether claims lack something that the provider may tell elsewhere (the userinfo endpoint).</summary>
    public bool LackSomething(JsonElement claims) =>
        _name.FindText(claims) is null
        || (_groups is not null && _groups.Find(claims) is null)
        || _required.Any(required => required.Path.Find(claims) is null)
        || _seen.Any(seen => seen.Path.Find(claims) is null)
        || (_usesEmail && !claims.TryGetProperty(VerifiedClaim, out _));

    /// <summary>Reads a person.</summary>
    /// <param name="subject"><c>sub</c>.</param>
    /// <param name="claims">All of his claims, an object.</param>
    /// <exception cref="OidcException">He is not to be let in, and why.</exception>
    public OidcPerson Read(string subject, JsonElement claims)
    {
        foreach (var (path, glob) in _required)
        {
            if (path.FindTexts(claims) is not { } texts || !texts.Any(text => glob.Matches(text)))
            {
                throw new OidcException(
                    "your account may not use this registry; ask its operator who may",
                    $"the required claim {path} of sub \"{PrintableName.Of(subject)}\" is {Found(path, claims)}, where \"{glob.Text}\" is expected (require)");
            }
        }

        // A provider may let people write any address into their profile: alice@example.com must be hers.
        var isVerified = claims.TryGetProperty(VerifiedClaim, out var verified)
            && verified.ValueKind is JsonValueKind.True or JsonValueKind.String && ClaimPath.TextOf(verified) == "true";
        if (!isVerified && (options.NameClaim == EmailClaim || options.Require.ContainsKey(EmailClaim)))
        {
            throw new OidcException(
                "your provider has not verified that your e-mail address is yours",
                $"email_verified of sub \"{PrintableName.Of(subject)}\" is not true, and {(options.NameClaim == EmailClaim ? "nameClaim" : "require")} is about email");
        }

        if (_name.FindText(claims) is not { } name)
        {
            throw new OidcException(
                "your provider does not tell this registry your name; ask the registry's operator",
                $"there is no claim {_name} (nameClaim) in the ID token or the userinfo; ask for the scope that brings it, or name another claim");
        }

        if (!UserName.IsValid(name))
        {
            throw new OidcException(
                $"your provider calls you \"{PrintableName.Of(name)}\", which is no user name here. {UserName.Rule}",
                $"the claim {_name} is \"{PrintableName.Of(name)}\", which is no user name");
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

        // Entra ID leaves the groups out where they are too many (OpenID Connect Core, section 5.6.2): a deny may be about one.
        if (claims.TryGetProperty("_claim_names", out var elsewhere) && elsewhere.ValueKind == JsonValueKind.Object
            && elsewhere.TryGetProperty(_groups.Text, out _))
        {
            throw new OidcException(
                "you are in more groups than your provider tells; ask the registry's operator",
                $"the claim {_groups} is left out (_claim_names), as there are too many: have the provider send only groups assigned to this client");
        }

        if (_groups.Find(claims) is null)
        {
            return [];
        }

        if (_groups.FindTexts(claims) is not { } texts)
        {
            throw new OidcException(
                "your provider tells your groups in a form that is not understood; ask the registry's operator",
                $"the claim {_groups} (groups.claim) is no list of texts: {Found(_groups, claims)}");
        }

        return [.. texts
            .Where(text => _only.Length == 0 || Array.Exists(_only, glob => glob.Matches(text)))
            .Select(text => options.Groups.Map.TryGetValue(text, out var mapped) ? mapped : options.Groups.Prefix + text)
            .Where(SubjectSelector.IsName) // no policy could name another
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
