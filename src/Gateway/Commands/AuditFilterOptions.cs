using System.CommandLine;
using System.Globalization;
using System.Net;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Foundation.Configuration;
using Gateway.Server.Records.Audit;
using Gateway.Server.Requests.Pipeline;

namespace Gateway.Commands;

/// <summary>The options that select audit lines.</summary>
internal static class AuditFilterOptions
{
    private static readonly Option<string?> Since = new("--since")
    {
        Description = "From this time on: 2026-11-26, 2026-11-26T15:57:00Z, or how long ago: 2h, 30d.",
    };

    private static readonly Option<string?> Until = new("--until")
    {
        Description = "Before this time; in the same formats.",
    };

    private static readonly Option<string?> Address = new("--address")
    {
        Description = "The client's address or network: 10.0.0.0/8.",
    };

    private static readonly Option<string?> Status = new("--status")
    {
        Description = "The HTTP status: 404, or a class: 4xx.",
    };

    private static readonly Option<string?> RequestId = new("--request-id")
    {
        Description = "The request's id, as it appears in responses and in the log.",
    };

    // "*" in a value matches any characters.
    private static readonly (Option<string?> Option, string[] Paths)[] Patterns =
    [
        (Pattern(
            "--subject", "The caller: user:alice, or alice for short; robot:*. Failed sign-ins are found by the name "
                + "tried: (alice)."),
            ["subject", "by", "owner"]),
        (Pattern("--repository", "The repository: team-a/*."), ["repository"]),
        (Pattern("--reference", "The tag or digest."), ["reference", "digest"]),
        (Pattern("--operation", "The operation: putManifest, delete*, createToken."),
            ["operation", "action", "command"]),
        (Pattern("--decision", "allow, deny, challenge, limit, refuse, error or public."), ["decision"]),
        (Pattern("--rule", "The rule's name."), ["rule.name"]),
        (Pattern("--event", "registry, token, api, portal, http, credential, command, reload, outage, start or stop."),
            ["event"]),
        (Pattern("--user-name", "The user name presented at a sign-in, right or wrong."), ["signIn.userName"]),
        (Pattern(
            "--outcome", "The outcome of a sign-in or a reload: accepted, refused, undecided, throttled, applied."),
            ["signIn.outcome", "outcome"]),
        (Pattern(
            "--credential", "The id of a token that was created, revoked or used."),
            ["credential", "signIn.credential", "replaced"]),
        (Pattern("--limit-rule", "The name of the limit that was hit."), ["limit"]),
    ];

    private static readonly string[] Events =
    [
        AuditSurface.Registry, AuditSurface.Token, AuditSurface.Api, AuditSurface.Portal, AuditSurface.Http,
        "credential", "command", "reload", "outage", "start", "stop",
    ];

    // Of the registry, of the other surfaces (AuditSurface), of tokens, and commands.
    private static readonly string[] Operations =
    [
        .. Enum.GetValues<RegistryOperation>().Select(AuditNames.Of),
        "token", "listTokens", "createToken", "showToken", "revokeToken", "rotateToken", "signIn", "signOut",
        "approveDevice",
        "beginDevice", "signInDevice", "endSessions", "showPage",
        "create", "revoke", "revokeAll", "rotate", "exchange", "block", "unblock",
        "token create", "token revoke", "token rotate",
        "user add", "user remove", "user block", "user unblock", "user reload --accept",
        "identity forget", "keys rotate", "keys retire", "limits reset", "backup",
    ];

    // Of sign-ins and of files read again.
    private static readonly string[] Outcomes = [.. Enum.GetValues<SignInOutcome>().Select(AuditNames.Of), "applied"];

    /// <summary>All of them.</summary>
    public static IEnumerable<Option> All =>
        [Since, Until, .. Patterns.Select(static pattern => pattern.Option), Address, Status, RequestId];

    /// <summary>Reads the options that were given.</summary>
    /// <exception cref="ProblemException">A value is invalid.</exception>
    public static AuditFilter Read(ParseResult result, DateTimeOffset now) => new()
    {
        Since = InstantOf(result, Since, now),
        Until = InstantOf(result, Until, now),
        RequestId = result.GetValue(RequestId),
        Network = NetworkOf(result),
        Status = StatusOf(result),
        Members =
        [
            .. Patterns
                .Select(pattern => (Text: result.GetValue(pattern.Option), pattern.Paths))
                .Where(static pattern => pattern.Text is not null)
                .Select(static pattern => new MemberPattern(pattern.Paths, GlobsOf(pattern.Paths, pattern.Text!))),
        ],
    };

    private static IReadOnlyList<Glob> GlobsOf(string[] paths, string text)
    {
        var (option, known) = paths switch
        {
            ["decision"] => ("--decision", AuditDecision.All),
            ["event"] => ("--event", Events),
            ["operation", ..] => ("--operation", Operations),
            ["signIn.outcome", ..] => ("--outcome", Outcomes),
            _ => ("", []),
        };
        var glob = new Glob(text);

        // A word that no line can have would find nothing, and look like "nothing happened".
        if (known.Length > 0 && !known.Any(word => glob.Matches(word)))
        {
            throw new ProblemException(new Problem(
                option, "no audit line can have this value", text, HintFor(text, known)));
        }

        // People type a name; records hold its kind as well.
        return paths[0] == "subject" && !text.Contains(':', StringComparison.Ordinal)
            ? [glob, new Glob("user:" + text)]
            : [glob];
    }

    // The complete list: a shortened one could leave out the very word that is wanted.
    private static string HintFor(string text, string[] known) => NearestName.Find(text, known) is { } nearest
        ? $"Did you mean \"{nearest}\"?"
        : (ReferenceEquals(known, Operations) ? "A push ends with putManifest, a pull begins with readManifest. " : "")
            + $"Known: {string.Join(", ", known)}.";

    private static Option<string?> Pattern(string name, string description) => new(name) { Description = description };

    private static string? InstantOf(ParseResult result, Option<string?> option, DateTimeOffset now)
    {
        if (result.GetValue(option) is not { } text)
        {
            return null;
        }

        if (Duration.TryParse(text, out var ago))
        {
            return AuditText.Format(now - ago);
        }

        return char.IsAsciiDigit(text[0]) && DateTimeOffset.TryParse(
            text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var instant)
                ? AuditText.Format(instant)
                : throw new ProblemException(new Problem(
                    option.Name, "this is not a time", text,
                    "Write 2026-11-26T15:57:00Z, 2026-11-26, or how long ago: 2h."));
    }

    private static IPNetwork? NetworkOf(ParseResult result)
    {
        if (result.GetValue(Address) is not { } text)
        {
            return null;
        }

        return IPNetwork.TryParse(text, out var network) ? network
            : IPAddress.TryParse(text, out var address)
                ? new IPNetwork(address, address.GetAddressBytes().Length * 8)
            : throw new ProblemException(new Problem(
                Address.Name, "this is neither an address nor a network", text, "Write 10.0.0.7 or 10.0.0.0/8."));
    }

    private static string? StatusOf(ParseResult result) => result.GetValue(Status) switch
    {
        null => null,
        { Length: 3 } text when text[0] is >= '1' and <= '5'
            && (text[1..] == "xx" || (char.IsAsciiDigit(text[1]) && char.IsAsciiDigit(text[2]))) => text,
        var text => throw new ProblemException(new Problem(
            Status.Name, "this is not an HTTP status", text, "Write 404 or 4xx.")),
    };
}
