using System.Net;
using System.Text.Json;
using Gateway.Core.Authorization;

namespace Gateway.Server.Records.Audit;

/// <summary>Which lines somebody wants to see. What is not set asks nothing.</summary>
internal sealed record AuditFilter
{
    /// <summary>From this instant on, as <see cref="AuditText.Format"/> writes it.</summary>
    public string? Since { get; init; }

    /// <summary>Before this instant, in the same form.</summary>
    public string? Until { get; init; }

    /// <summary>A request's line has this request id.</summary>
    public string? RequestId { get; init; }

    /// <summary>Members and the patterns that one of them must match, each of them.</summary>
    public IReadOnlyList<MemberPattern> Members { get; init; } = [];

    /// <summary>The client's network.</summary>
    public IPNetwork? Network { get; init; }

    /// <summary>A status, or its class: <c>404</c>, <c>4xx</c>.</summary>
    public string? Status { get; init; }

    /// <summary>Whether a line is wanted.</summary>
    public bool Fits(JsonElement line)
    {
        var time = Text(line, "time");
        return (Since is null || string.CompareOrdinal(time, Since) >= 0)
            && (Until is null || string.CompareOrdinal(time, Until) < 0)
            && (RequestId is null || Text(line, "requestId") == RequestId)
            && (Status is null || StatusFits(Text(line, "status")))
            && (Network is null || NetworkFits(Text(line, "address")))
            && Members.All(member => member.Fits(line));
    }

    /// <summary>
    /// A member's text, by its way (<c>rule.name</c>); numbers as they are; empty where it is missing.
    /// </summary>
    public static string Text(JsonElement line, string path)
    {
        foreach (var name in path.Split('.'))
        {
            if (line.ValueKind != JsonValueKind.Object || !line.TryGetProperty(name, out line))
            {
                return "";
            }
        }

        return line.ValueKind == JsonValueKind.String ? line.GetString()! : line.GetRawText();
    }

    private bool StatusFits(string status) => Status!.EndsWith("xx", StringComparison.Ordinal)
        ? status.Length == 3 && status[0] == Status[0]
        : status == Status;

    private bool NetworkFits(string address) =>
        IPAddress.TryParse(address, out var client) && Network!.Value.Contains(client);
}

/// <summary>Members of which one must match a pattern.</summary>
/// <param name="Paths">Their ways: <c>subject</c>, <c>rule.name</c>.</param>
/// <param name="Patterns">
/// Texts in which <c>*</c> matches any characters, slashes included; one of them is enough.
/// </param>
internal sealed record MemberPattern(IReadOnlyList<string> Paths, IReadOnlyList<Glob> Patterns)
{
    /// <summary>Whether one of them matches.</summary>
    public bool Fits(JsonElement line)
    {
        foreach (var path in Paths)
        {
            if (AuditFilter.Text(line, path) is { Length: > 0 } text && Patterns.Any(pattern => pattern.Matches(text)))
            {
                return true;
            }
        }

        return false;
    }
}
