using System.Text;

namespace Gateway.Client.Doctor.Client;

/// <summary>One challenge of <c>WWW-Authenticate</c>.</summary>
/// <param name="Scheme">As written: <c>Bearer</c>.</param>
/// <param name="Parameters">By lower-case name; of duplicates the last, as docker reads them.</param>
/// <param name="Fault">What is wrong with its syntax, or <see langword="null"/>.</param>
internal sealed record AuthenticationChallenge(
    string Scheme, IReadOnlyDictionary<string, string> Parameters, string? Fault)
{
    /// <summary>Whether it is a Bearer challenge, which tokens answer.</summary>
    public bool IsBearer => Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether it is a Basic challenge, which a password answers.</summary>
    public bool IsBasic => Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase);

    /// <summary>The address of the token endpoint; empty if it names none.</summary>
    public string Realm => Parameters.GetValueOrDefault("realm", "");

    /// <summary>The service that tokens are for.</summary>
    public string? Service => Parameters.GetValueOrDefault("service");
}

/// <summary>Reads challenges by the grammar of RFC 9110, section 11.6.1, and reports where they violate it.</summary>
internal static class Challenges
{
    /// <summary>Reads the value of the header, all its lines joined with commas.</summary>
    /// <param name="text">Untrusted.</param>
    public static IReadOnlyList<AuthenticationChallenge> Parse(string text)
    {
        var found = new List<AuthenticationChallenge>();
        var at = 0;
        while (Skip(text, ref at, " ,\t") && at < text.Length)
        {
            var scheme = Token(text, ref at);
            if (scheme.Length == 0)
            {
                found.Add(
                    new AuthenticationChallenge(
                        "", new Dictionary<string, string>(), $"a scheme is expected at \"{text[at..]}\""));
                return found;
            }

            var parameters = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            string? fault = null;
            while (fault is null && Skip(text, ref at, " ,\t") && at < text.Length)
            {
                var start = at;
                var name = Token(text, ref at);
                Skip(text, ref at, " \t");
                if (name.Length == 0 || at >= text.Length || text[at] != '=')
                {
                    at = start; // the next challenge begins here
                    if (name.Length == 0)
                    {
                        fault = $"a parameter is expected at \"{text[at..]}\"";
                    }

                    break;
                }

                at++;
                Skip(text, ref at, " \t");
                var isRepeated = parameters.ContainsKey(name);
                parameters[name] = Value(text, ref at, out fault);
                fault ??= isRepeated ? $"{name} appears twice" : null;
            }

            found.Add(new AuthenticationChallenge(scheme, parameters, fault));
            if (fault is not null)
            {
                return found;
            }
        }

        return found;
    }

    private static bool Skip(string text, ref int at, string characters)
    {
        while (at < text.Length && characters.Contains(text[at], StringComparison.Ordinal))
        {
            at++;
        }

        return true;
    }

    private static string Token(string text, ref int at)
    {
        var start = at;
        while (at < text.Length
            && (char.IsAsciiLetterOrDigit(text[at]) || "!#$%&'*+-.^_`|~".Contains(text[at], StringComparison.Ordinal)))
        {
            at++;
        }

        return text[start..at];
    }

    private static string Value(string text, ref int at, out string? fault)
    {
        fault = null;
        if (at >= text.Length || text[at] != '"')
        {
            var token = Token(text, ref at);
            fault = token.Length == 0 || (at < text.Length && text[at] is not (',' or ' ' or '\t'))
                ? "a value without quotes has characters that need quotes"
                : null;
            return token;
        }

        var value = new StringBuilder();
        for (at++; at < text.Length && text[at] != '"'; at++)
        {
            if (text[at] == '\\' && at + 1 < text.Length)
            {
                at++;
            }

            value.Append(text[at]);
        }

        fault = at >= text.Length ? "a quote is not closed" : null;
        at++;
        return value.ToString();
    }
}
