using System.Text.Json;
using Gateway.Core.Authorization;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.Tokens.Credentials;

/// <summary>
/// Reads a body of <c>/api/v1/tokens</c>, strictly: a member that is unknown or appears twice is a slip that would
/// otherwise create a token other than the one that was meant.
/// </summary>
internal sealed class TokenApiBody
{
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 8 };

    private readonly Dictionary<string, JsonElement> _members = new(StringComparer.Ordinal);
    private readonly List<Problem> _problems = [];

    private TokenApiBody()
    {
    }

    /// <summary>What is wrong; members that were read are part of it only after they were read.</summary>
    public IReadOnlyList<Problem> Problems => _problems;

    /// <summary>Reads the members.</summary>
    /// <param name="utf8">Untrusted; its length is limited.</param>
    /// <param name="known">The members there are.</param>
    public static TokenApiBody Read(ReadOnlyMemory<byte> utf8, params ReadOnlySpan<string> known)
    {
        var body = new TokenApiBody();
        JsonElement root;
        try
        {
            using var document = JsonDocument.Parse(utf8, Strict);
            root = document.RootElement.Clone();
        }
        catch (JsonException)
        {
            body.Report("body", "this is not JSON", null, "Send one JSON object in UTF-8.");
            return body;
        }

        if (root.ValueKind != JsonValueKind.Object)
        {
            body.Report(
                "body", "this is not a JSON object", NameOf(root), "Send one, such as {\"name\": \"laptop\", …}.");
            return body;
        }

        foreach (var member in root.EnumerateObject())
        {
            if (!TryGetName(member, out var name) || !known.Contains(name))
            {
                body.Report(
                    Shorten(name), "there is no such member", null, $"Use only: {string.Join(", ", known)}.");
            }
            else if (!body._members.TryAdd(name, member.Value))
            {
                body.Report(name, "appears twice", null, "Send each member once.");
            }
        }

        return body;
    }

    /// <summary>A text that may be absent; <see langword="null"/> where it is, or is wrong.</summary>
    public string? Text(string name)
    {
        if (!_members.TryGetValue(name, out var value))
        {
            return null;
        }

        if (TryGetText(value, out var text))
        {
            return text;
        }

        Report(name, "this is not text", NameOf(value), "Write it in quotes, or leave the member out.");
        return null;
    }

    /// <summary>A text that must be there.</summary>
    public string RequiredText(string name, string fix)
    {
        if (!_members.ContainsKey(name))
        {
            Report(name, "is missing", null, fix);
        }

        return Text(name) ?? "";
    }

    /// <summary>A duration that may be absent.</summary>
    public TimeSpan? Duration(string name)
    {
        var before = _problems.Count;
        var text = Text(name);
        if (text is null || _problems.Count > before)
        {
            return null;
        }

        if (Gateway.Foundation.Configuration.Duration.TryParse(text, out var duration))
        {
            return duration;
        }

        Report(name, "this is not a duration", text, "Write integers with units (d, h, m, s), such as \"30d\".");
        return null;
    }

    /// <summary>
    /// The scopes, which must be given: a list, or <see langword="null"/> for everything that the owner may do. Left
    /// out they would mean everything by accident.
    /// </summary>
    public CredentialLimit? Scopes(string name)
    {
        const string fix = "Give a list such as [\"team-a/**:pull,push\"], or null for everything that you may do.";
        if (!_members.TryGetValue(name, out var value))
        {
            Report(name, "is missing", null, fix);
            return null;
        }

        if (value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            Report(name, "this is not a list", NameOf(value), fix);
            return null;
        }

        var texts = new List<string>();
        foreach (var item in value.EnumerateArray())
        {
            if (!TryGetText(item, out var text))
            {
                Report(name, "an entry is not text", NameOf(item), fix);
                return null;
            }

            texts.Add(text);
        }

        if (CredentialLimit.TryParse(texts, out var limit, out var fault))
        {
            return limit;
        }

        Report(name, fault.TrimEnd('.'), null, "See docs/tokens.md, \"Scopes\".");
        return null;
    }

    private void Report(string source, string what, string? found, string fix) =>
        _problems.Add(new Problem(source, what, found, fix));

    // "\ud800" is JSON, but not text.
    private static bool TryGetText(JsonElement value, out string text)
    {
        text = "";
        if (value.ValueKind != JsonValueKind.String)
        {
            return false;
        }

        try
        {
            text = value.GetString()!;
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private static bool TryGetName(JsonProperty member, out string name)
    {
        try
        {
            name = member.Name;
            return true;
        }
        catch (InvalidOperationException)
        {
            name = "?";
            return false;
        }
    }

    private static string Shorten(string name) => name.Length <= 64 ? name : name[..64] + "…";

    private static string NameOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "text",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "true or false",
    };
}
