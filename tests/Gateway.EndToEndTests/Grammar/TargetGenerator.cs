using System.Globalization;
using System.Text;

namespace Gateway.EndToEndTests.Grammar;

/// <summary>An upload that the real registry has started.</summary>
/// <param name="Repository">Its repository.</param>
/// <param name="Id">Its id.</param>
/// <param name="Query">The query of the registry's own <c>Location</c>.</param>
/// <param name="State">The state in that query, decoded; empty where there is none.</param>
internal sealed record StartedUpload(string Repository, string Id, string Query, string State);

/// <summary>Makes request targets: valid ones, spelled in many ways, and ones some steps away from valid.</summary>
/// <remarks>Everything follows from the seed, but for the uploads that the registry started.</remarks>
internal sealed class TargetGenerator(
    int seed,
    IReadOnlyList<string> repositories,
    IReadOnlyList<string> digests,
    IReadOnlyList<StartedUpload> uploads,
    Func<StartedUpload, string> ticketOf)
{
    private static readonly string[] ParameterNames = ["mount", "from", "digest", "_ticket", "_state", "n", "last"];

    private static readonly string[] Strange =
    [
        "/", "//", "/./", "/../", "/%2e/", "/%2e%2e/", "/.%2e/", "/..%2F", "/%252e%252e/", "..;/", "%2F", "%2f",
        "%252F", "%25252F", "%5C", "\\", "%00", "%0A", "%0a%0d", "%20", "%09", "%7F", "%c0%af", "%c0%ae", "%e0%80%af",
        "%u002f", "%ef%bc%8f", "é", "\uff0f", "\uff21", "\u0663", "\u0130", "\u017f", "\u212a", "\u2025", ";", ";x=1",
        ":", "@", "!", "~", "*", "+", "%2B", "=", "&", ",", "'", "\"", "<", ">", "|", "^", "`", "[", "]", "{", "}", "$",
        "(", ")", "#", "%23", "?", "%3F", "%", "%%", "%2", "%g1", "%3A", "%253A", ".", "..", "...", "-", "_", "__",
        "___",
        "A", "Z", "\t", "\u0001", "\u007f", "manifests", "/manifests/", "/blobs/", "/blobs/uploads/", "/tags/list",
        "/v2/", "_catalog",
    ];

    private readonly Random _random = new(seed);

    /// <summary>The next method and target; a quarter are valid, and some of the others happen to be.</summary>
    public (string Method, string Target) Next()
    {
        var (method, path, query) = Valid();
        if (Chance(26))
        {
            path = Chance(5) ? path.Replace("sha256:", Pick("sha256%3A", "sha256%3a"), StringComparison.Ordinal) : path;
            return (method, Compose(path, Harmless(query)));
        }

        for (var count = Pick(1, 1, 1, 2, 3); count > 0; count--)
        {
            switch (_random.Next(8))
            {
                case 0:
                    query = BendQuery(query);
                    break;
                case 1 or 2 when method is "POST":
                    query = BendQuery(query);
                    break;
                case 3 when Chance(20):
                    method = Pick(
                        "get", "Get", "OPTIONS", "TRACE", "PROPFIND", "PUT", "POST", "PATCH", "DELETE", "HEAD",
                        "CONNECT");
                    break;
                default:
                    path = BendPath(path);
                    break;
            }
        }

        var target = Compose(path, query);
        return (method, Chance(3) ? BendWhole(target) : target);
    }

    private static string Compose(string path, List<string> query) =>
        query.Count == 0 ? path : $"{path}?{string.Join('&', query)}";

    private (string Method, string Path, List<string> Query) Valid()
    {
        var name = Name();
        switch (_random.Next(100))
        {
            case < 40:
                return (Pick("GET", "GET", "GET", "HEAD", "PUT", "DELETE"), $"/v2/{name}/manifests/{Reference()}", []);
            case < 58:
                return (Pick("GET", "HEAD", "DELETE"), $"/v2/{name}/blobs/{Digest()}", []);
            case < 72:
                return ("POST", $"/v2/{name}/blobs/uploads/", StartQuery());
            case < 86:
                var method = Pick("GET", "HEAD", "PATCH", "PUT", "DELETE");
                var upload = Chance(30)
                    ? Pick(uploads)
                    : Invented(name);
                var query = Chance(95) ? new List<string> { "_ticket=" + Encode(ticketOf(upload)) } : [];
                if (method == "PUT" && Chance(90))
                {
                    query.Insert(_random.Next(query.Count + 1), "digest=" + Encode(Digest()));
                }

                return (method, $"/v2/{(Chance(90) ? upload.Repository : name)}/blobs/uploads/{upload.Id}", query);
            case < 94:
                return ("GET", $"/v2/{name}/tags/list", PageQuery());
            case < 98:
                return (
                    "GET", $"/v2/{name}/referrers/{Digest()}",
                    Chance(50) ? ["artifactType=" + Encode("a/vnd.x+json")] : []);
            case 98:
                return ("GET", "/v2/_catalog", PageQuery());
            default:
                return (Pick("GET", "HEAD"), Pick("/v2/", "/v2"), []);
        }
    }

    // An upload that the registry knows nothing of, as another kind of registry may have started it.
    private StartedUpload Invented(string repository)
    {
        var state = Text("abcXYZ019-_", 1, 60) + Pick("", "=", "==");
        var more = Pick("", "", "&x=y", "&_uploadcache=false&_state=again", "&a%2Fb+c={|}^`;d&&%zz=%zz");
        return Chance(15)
            ? new StartedUpload(repository, UploadId(), Pick("", "?", "?x;y"), "")
            : new StartedUpload(repository, UploadId(), $"?_state={Encode(state)}{more}", state);
    }

    private List<string> StartQuery()
    {
        var query = new List<string>();
        if (Chance(75))
        {
            query.Add("mount=" + Encode(Digest()));
            query.Insert(_random.Next(2), "from=" + Encode(Name()));
        }

        if (Chance(10))
        {
            query.Add("digest=" + Encode(Digest()));
        }

        return query;
    }

    private List<string> PageQuery()
    {
        var query = new List<string>();
        if (Chance(60))
        {
            query.Add("n=" + _random.Next(0, 1000).ToString(Pick("0", "0", "000000"), CultureInfo.InvariantCulture));
        }

        if (Chance(60))
        {
            query.Insert(
                _random.Next(query.Count + 1), "last=" + Encode(Chance(90) ? Name() : Text("abc /+%&=?#~\"<", 1, 10)));
        }

        return query;
    }

    // Parameters that clients really send and the gateway drops, and empty ones.
    private List<string> Harmless(List<string> query)
    {
        if (Chance(25))
        {
            query.Insert(_random.Next(query.Count + 1), Pick(
                "ns=docker.io", "origin=x", "tag=latest", "tag=a&tag=b", "digest-algorithm=sha512", "", "x", "Ns=1",
                "x=%zz", "a;b", "fromm=1", "x=from=a", "x=%26from=a", "%zz=1", "utm_source=%F0%9F%90%B3"));
        }

        return query;
    }

    private List<string> BendQuery(List<string> query)
    {
        query = [.. query];
        var name = Pick(ParameterNames);
        var value = Pick(Encode(Name()), Encode(Digest()), "", Text("abc019", 1, 5), Pick(Strange));
        query.Insert(_random.Next(query.Count + 1), _random.Next(14) switch
        {
            0 when query.Count > 0 => Pick((IReadOnlyList<string>)query),
            0 or 1 => $"{name}={value}",
            2 => $"{ChangeCase(name)}={value}",
            3 => $"{EncodeSome(name, 50)}={value}",
            4 => $"{EncodeSome(EncodeSome(name, 50), 50)}={value}",
            5 => $"x{Pick("", "=1", "=%zz")};{name}={value}",
            6 => $"{name}={value};{Pick("", "x", "x=1", "from=team/secret")}",
            7 => $"{Pick("+", "%20", "%0A", "%00", "")}{name}{Pick("+", "%20", "%00", "[]", "")}={value}",
            8 => $"{name}{Pick("", "%3D", "=", "==", "=%", "=%2", "=%zz")}{value}",
            9 => $"{Pick("&", "?", "/", "#")}{name}={value}",
            10 => "n=" + Pick(
                "", "-1", "+1", "1000000", "9223372036854775807", "9223372036854775808", "99999999999999999999", "1e3",
                "0x1", "%31", "٣", "1.0", "07", "%2B1"),
            11 => $"mount={Pick(Encode(Digest()), "x", "sha256:", "")}&from=" + Pick(
                "Team/Secret", "team//secret", "../secret", "team%2fsecret", "team%252Fsecret", "", "h:1/x"),
            12 => Pick(Strange),
            _ => Text("abcfromut=&;%+", 1, 20),
        });
        if (query.Count > 1 && Chance(20))
        {
            query.RemoveAt(_random.Next(query.Count));
        }

        return query;
    }

    private string BendPath(string path)
    {
        if (path.Length < 2)
        {
            return path + Pick(Strange);
        }

        var at = _random.Next(1, path.Length);
        switch (_random.Next(14))
        {
            case 0:
                return EncodeSome(path, 10);
            case 1:
                return path[..at] + EncodeSome(path[at..(at + 1)], 100) + path[(at + 1)..];
            case 2:
                return path[..at] + EncodeSome(EncodeSome(path[at..(at + 1)], 100), 100) + path[(at + 1)..];
            case 3 or 4:
                return path.Insert(at, Pick(Strange));
            case 5:
                var slash = path.IndexOf('/', at);
                return slash < 0 ? path + Pick(Strange) : path.Remove(slash, 1).Insert(slash, Pick(Strange));
            case 6:
                return path.Remove(at, Math.Min(_random.Next(1, 5), path.Length - at));
            case 7:
                return path[..at] + ChangeCase(path[at..]);
            case 8:
                return path + Pick(Strange);
            case 9:
                return path.EndsWith('/') ? path[..^1] : path + "/";
            case 10:
                return path.Insert(at, path[_random.Next(path.Length)..]);
            case 11:
                // A climb out of a place that the caller may use into one that he may not.
                return path.Replace("/v2/", "/v2/pub" + Climb(), StringComparison.Ordinal);
            case 12 when Chance(30):
                return path.Insert(at, new string(Text("abc019", 1, 1)[0], Pick(100, 128, 256, 300, 4000, 9000)));
            default:
                var characters = path.ToCharArray();
                characters[at] = (char)_random.Next(33, 127);
                return new string(characters);
        }
    }

    private string Climb() =>
        Pick("/../", "/%2e%2e/", "/..%2f", "/%252e%252e/", "/..;/", "%2F", "%2f..%2f", "\\..\\", "/./");

    private string BendWhole(string target) => _random.Next(7) switch
    {
        0 => "http://registry.example" + target,
        1 => "https://registry.example:443" + target,
        2 => "/" + target,
        3 => target[1..],
        4 => target.Replace(
            "/v2/",
            Pick("/V2/", "/v2//", "/v2", "/v1/", "/%76%32/", "/v2%2F", "/v2;x/", "/./v2/", "/x/../v2/"),
            StringComparison.Ordinal),
        5 => "*",
        _ => target + "#" + Pick("", "x", "/v2/"),
    };

    private string Name()
    {
        if (Chance(45))
        {
            return Pick(repositories);
        }

        var name = new StringBuilder(Component());
        for (var more = _random.Next(4); more > 0; more--)
        {
            name.Append('/').Append(
                Chance(15) ? Pick("manifests", "blobs", "uploads", "tags", "list", "v2", "referrers") : Component());
        }

        return name.ToString();
    }

    private string Component()
    {
        var text = new StringBuilder(Text("abcdefghijklmnopqrstuvwxyz0123456789", 1, 6));
        for (var more = _random.Next(3); more > 0; more--)
        {
            text.Append(Pick(".", "_", "__", "-", "--")).Append(Text("abcxyz019", 1, 4));
        }

        return text.ToString();
    }

    private string Reference() => Chance(30) ? Digest()
        : Chance(40) ? Pick("latest", "v1")
        : Text("abcXYZ019_", 1, 1) + Text("abcXYZ019_.-", 0, Pick(3, 10, 127));

    private string Digest() => Chance(60) ? Pick(digests)
        : Chance(80) ? "sha256:" + Text("0123456789abcdef", 64, 64)
        : Chance(50) ? "sha512:" + Text("0123456789abcdef", 128, 128)
        : "sha384:" + Text("0123456789abcdef", 96, 96);

    private string UploadId() => Chance(70)
        ? new Guid(_random.Next(), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10).ToString()
        : Pick("", "x", "..") + Text("abcXYZ019-_.=", 1, 30) + "x";

    private string Encode(string value) => Pick(0, 1, 2) switch
    {
        0 => Uri.EscapeDataString(value),
        1 => Uri.EscapeDataString(value)
            .Replace("%2F", "/", StringComparison.Ordinal).Replace("%3A", ":", StringComparison.Ordinal),
        _ => EncodeSome(
            Uri.EscapeDataString(value).Replace("%2F", "/", StringComparison.Ordinal), 5, keepEscapes: true),
    };

    private string EncodeSome(string text, int percent, bool keepEscapes = false)
    {
        var result = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            if (keepEscapes && text[i] == '%')
            {
                result.Append(text, i, 3);
                i += 2;
            }
            else if (Chance(percent) && text[i] < 0x80)
            {
                result.Append('%').Append(((int)text[i]).ToString(Pick("X2", "x2"), CultureInfo.InvariantCulture));
            }
            else
            {
                result.Append(text[i]);
            }
        }

        return result.ToString();
    }

    private string ChangeCase(string text)
    {
        var all = Chance(30);
        return string.Concat(text.Select(c =>
            !all && !Chance(30) ? c : char.IsUpper(c) ? char.ToLowerInvariant(c) : char.ToUpperInvariant(c)));
    }

    private string Text(string alphabet, int min, int max)
    {
        var length = _random.Next(min, max + 1);
        return string.Create(length, (_random, alphabet), static (text, state) =>
        {
            for (var i = 0; i < text.Length; i++)
            {
                text[i] = state.alphabet[state._random.Next(state.alphabet.Length)];
            }
        });
    }

    private bool Chance(int percent) => _random.Next(100) < percent;

    private T Pick<T>(params IReadOnlyList<T> choices) => choices[_random.Next(choices.Count)];
}
