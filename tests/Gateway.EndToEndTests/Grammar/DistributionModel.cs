using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Gateway.EndToEndTests.Grammar;

/// <summary>How Distribution 2.8 reads a target: Go's net/http and net/url, gorilla/mux, its own routes.</summary>
/// <remarks>
/// The second opinion on every generated target. It is written from those programs' rules with regular expressions, and
/// shares nothing with the parser; the test holds it to the real registry's own word on the same bytes.
/// </remarks>
internal static class DistributionModel
{
    // github.com/docker/distribution/reference: wider than the OCI grammar, with an optional domain and port.
    private const string Component = "[a-z0-9]+(?:(?:(?:[._]|__|[-]*)[a-z0-9]+)+)?";
    private const string DomainComponent = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
    private const string Domain = DomainComponent + @"(?:(?:\." + DomainComponent + ")+)?(?::[0-9]+)?";
    private const string Name = "(?<name>(?:" + Domain + "/)?" + Component + "(?:(?:/" + Component + ")+)?)";
    private const string Tag = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}";
    private const string Digest = "[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+";

    // Each with whether its template ends in a slash; a request that differs in that is redirected (StrictSlash).
    private static readonly (string Route, bool Slash, Regex Pattern)[] Routes =
    [
        ("base", true, Pattern("/v2")),
        ("tags", false, Pattern($"/v2/{Name}/tags/list")),
        ("manifest", false, Pattern($"/v2/{Name}/manifests/(?<item>{Tag}|{Digest})")),
        ("blob", false, Pattern($"/v2/{Name}/blobs/(?<item>{Digest})")),
        ("blob-upload", true, Pattern($"/v2/{Name}/blobs/uploads")),
        ("blob-upload-chunk", false, Pattern($"/v2/{Name}/blobs/uploads/(?<item>[a-zA-Z0-9-_.=]+)")),
        ("catalog", false, Pattern("/v2/_catalog")),

        // Not in Distribution, but in registries that know the OCI specification 1.1.
        ("referrers", false, Pattern($"/v2/{Name}/referrers/(?<item>{Digest})")),
    ];

    /// <summary>What the registry acts on; <see langword="null"/> where it answers 400, 404 or a redirect.</summary>
    /// <param name="target">The target's bytes, one character each.</param>
    public static DistributionReading? Read(string target)
    {
        if (target.Any(c => c < ' ' || c == '\x7f') || !TryCutAuthority(ref target))
        {
            return null;
        }

        var question = target.IndexOf('?', StringComparison.Ordinal);
        if (!TryUnescape(question < 0 ? target : target[..question], plusIsSpace: false, out var path)
            || !IsClean(path))
        {
            return null;
        }

        foreach (var (route, slash, pattern) in Routes)
        {
            var match = pattern.Match(path);
            if (match.Success)
            {
                return path.EndsWith('/') == slash
                    ? WithQuery(
                        new DistributionReading(route, Group(match, "name"), Group(match, "item")),
                        question < 0 ? "" : target[(question + 1)..])
                    : null;
            }
        }

        return null;
    }

    /// <summary>The scope of the registry's own challenge to such a request; empty where it names none.</summary>
    public static string Scope(string method, DistributionReading reading)
    {
        if (reading.Route is "catalog")
        {
            return "registry:catalog:*";
        }

        if (reading.Name is null)
        {
            return "";
        }

        var name = $"repository:{reading.Name}:";
        var scope = method switch
        {
            "GET" or "HEAD" => name + "pull",
            "POST" or "PUT" or "PATCH" => $"{name}pull {name}push",
            "DELETE" => name + "delete",
            _ => "",
        };
        return reading.From is null ? scope : $"{scope} repository:{reading.From}:pull".TrimStart();
    }

    private static Regex Pattern(string route) =>
        new($@"\A{route}[/]?\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);

    private static string? Group(Match match, string name) =>
        match.Groups[name] is { Success: true } group ? group.Value : null;

    // net/url.ParseRequestURI: a path, or scheme, authority and path; the path alone decides the route.
    private static bool TryCutAuthority(ref string target)
    {
        if (target.StartsWith('/'))
        {
            return true;
        }

        var authority = Regex.Match(
            target, @"\A[a-zA-Z][a-zA-Z0-9+.-]*://[a-zA-Z0-9.-]*(?::[0-9]*)?(?<rest>/.*)\z", RegexOptions.Singleline);
        target = authority.Groups["rest"].Value;
        return authority.Success;
    }

    // gorilla/mux redirects to path.Clean of the decoded path where that differs.
    private static bool IsClean(string path)
    {
        var segments = path.Split('/');
        for (var i = 1; i < segments.Length; i++)
        {
            if (segments[i] is "." or ".." || (segments[i].Length == 0 && i < segments.Length - 1))
            {
                return false;
            }
        }

        return true;
    }

    // net/url.ParseQuery and Request.FormValue: the first of a key wins.
    private static DistributionReading WithQuery(DistributionReading reading, string query)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        var artifactTypes = new List<string>();
        foreach (var pair in query.Split('&'))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (pair.Length > 0 && !pair.Contains(';', StringComparison.Ordinal)
                && TryUnescape(equals < 0 ? pair : pair[..equals], plusIsSpace: true, out var key)
                && TryUnescape(equals < 0 ? "" : pair[(equals + 1)..], plusIsSpace: true, out var value))
            {
                values.TryAdd(key, value);
                if (key == "artifactType")
                {
                    artifactTypes.Add(value);
                }
            }
        }

        string? Value(string key) => values.TryGetValue(key, out var value) && value.Length > 0 ? value : null;
        return reading with
        {
            Mount = Value("mount"),
            From = Value("from"),
            Digest = Value("digest"),
            Ticket = Value("_ticket"),
            State = Value("_state"),
            PageSize = long.TryParse(
                Value("n"), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) ? n : null,
            Last = Value("last"),
            ArtifactTypes = string.Join('\n', artifactTypes),
        };
    }

    private static bool TryUnescape(string text, bool plusIsSpace, out string decoded)
    {
        var result = new StringBuilder(text.Length);
        decoded = "";
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '%')
            {
                if (i + 2 >= text.Length
                    || !byte.TryParse(
                        text.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture,
                        out var value))
                {
                    return false;
                }

                result.Append((char)value);
                i += 2;
            }
            else
            {
                result.Append(plusIsSpace && text[i] == '+' ? ' ' : text[i]);
            }
        }

        decoded = result.ToString();
        return true;
    }
}
