using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using Gateway.Core.Registry;

namespace Gateway.Client.Doctor.Explain;

/// <summary>The registry and the repository that a message names, if any.</summary>
/// <param name="Host">Host and port, or <see langword="null"/>.</param>
/// <param name="Repository">The repository, or <see langword="null"/>.</param>
/// <remarks>They are put into commands that people copy, so only valid names are used.</remarks>
internal sealed partial record MentionedRegistry(string? Host, string? Repository)
{
    private const string HostPattern = @"(?<host>[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?(?::[0-9]{1,5})?)";
    private const string NamePattern = "(?<name>[a-z0-9](?:[a-z0-9._/-]{0,253}[a-z0-9])?)";

    /// <summary>Looks for them.</summary>
    public static MentionedRegistry Find(string text)
    {
        var flat = string.Concat(
            MessageText.Unescape(text).ToLowerInvariant().Where(static one => one is not ('\n' or '\r')));
        string? host = null;
        string? name = null;
        foreach (var expression in (ReadOnlySpan<Regex>)[
            ApiUrl(), Transport(), Reference(), ScopeUrl(), AnyUrl(), Lookup(),
        ])
        {
            foreach (Match match in expression.Matches(flat))
            {
                if (!IsHost(match.Groups["host"].Value, mustLookLikeOne: expression != ApiUrl()))
                {
                    continue;
                }

                host ??= match.Groups["host"].Value;
                if (host == match.Groups["host"].Value && IsName(match.Groups["name"].Value, out var found))
                {
                    return new MentionedRegistry(host, found);
                }
            }
        }

        if (Scope().Match(flat) is { Success: true } scope && IsName(scope.Groups["name"].Value, out var scoped))
        {
            name = scoped;
        }

        return new MentionedRegistry(host, name);
    }

    /// <summary>
    /// Replaces <c>HOST</c> and <c>NAME</c> in a step by them; <c>HOST:443</c> keeps a port that was found, and
    /// <c>HOSTNAME</c> is the host without it.
    /// </summary>
    public string Fill(string step)
    {
        var colon = Host?.IndexOf(':', StringComparison.Ordinal) ?? -1;
        var result = colon < 0 ? step : step.Replace("HOST:443", "HOST", StringComparison.Ordinal);
        result = HostNameWord().Replace(result, Host is null ? "HOST" : colon < 0 ? Host : Host[..colon]);
        result = Host is null ? result : HostWord().Replace(result, Host);
        return Repository is null ? result : NameWord().Replace(result, Repository);
    }

    private static bool IsName(string text, [NotNullWhen(true)] out string? name)
    {
        name = RepositoryName.TryParse(text.Replace("%2f", "/", StringComparison.Ordinal), out var parsed)
            ? parsed.Value
            : null;
        return name is not null;
    }

    // Outside a URL of the registry's API, "team/app" is not a host: it must have a dot, a port, or be localhost.
    private static bool IsHost(string text, bool mustLookLikeOne)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var name = colon < 0 ? text : text[..colon];
        return (colon < 0
            || int.Parse(text.AsSpan(colon + 1), System.Globalization.CultureInfo.InvariantCulture) is > 0 and < 65536)
            && Uri.CheckHostName(name) is UriHostNameType.Dns or UriHostNameType.IPv4
            && !name.Contains("..", StringComparison.Ordinal)
            && (!mustLookLikeOne || colon >= 0 || name == "localhost" || name.Contains('.', StringComparison.Ordinal));
    }

    [GeneratedRegex("https?://" + HostPattern + "/v2/(?:" + NamePattern + "/(?:manifests|blobs|tags|referrers)/)?")]
    private static partial Regex ApiUrl();

    [GeneratedRegex("(?:docker|oci)://" + HostPattern + "/" + NamePattern)]
    private static partial Regex Transport();

    [GeneratedRegex(
        "(?:image|reference|denied for|manifest for|permission for|repository| in|push) ?[\"'\\[]?" + HostPattern + "/"
            + NamePattern)]
    private static partial Regex Reference();

    [GeneratedRegex(
        "https?://" + HostPattern + "/[^ \"]{0,200}?scope=repository(?:%3a|:)(?<name>[a-z0-9._/%-]+?)(?:%3a|:)")]
    private static partial Regex ScopeUrl();

    [GeneratedRegex("https?://" + HostPattern + "(?:[/\"': ]|$)")]
    private static partial Regex AnyUrl();

    [GeneratedRegex(
        "(?:lookup|registry|resolve host:|connect to|creds for|logging into|server|host name) [\"']?" + HostPattern
        + "(?:[\"': ,]|$)")]
    private static partial Regex Lookup();

    [GeneratedRegex("scope=repository(?:%3a|:)(?<name>[a-z0-9._/%-]+?)(?:%3a|:)")]
    private static partial Regex Scope();

    [GeneratedRegex(@"\bHOSTNAME\b")]
    private static partial Regex HostNameWord();

    [GeneratedRegex(@"\bHOST\b")]
    private static partial Regex HostWord();

    [GeneratedRegex(@"\bNAME\b")]
    private static partial Regex NameWord();
}
