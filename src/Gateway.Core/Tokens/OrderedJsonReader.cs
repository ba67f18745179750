using System.Text.Json;

namespace Gateway.Core.Tokens;

/// <summary>
/// Reads JSON whose members come in one known order: what is missing, repeated, unknown or of another type is not where
/// it is expected, and throws.
/// </summary>
/// <remarks>
/// A member given twice is read differently by different parsers; here it cannot be read at all. Every method throws
/// <see cref="JsonException"/>, or <see cref="InvalidOperationException"/> for text that is not UTF-8.
/// </remarks>
internal ref struct OrderedJsonReader
{
    private Utf8JsonReader _json;
    private bool _ended;

    /// <summary>Begins at the first token.</summary>
    public OrderedJsonReader(ReadOnlySpan<byte> utf8, int maxDepth)
    {
        _json = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = maxDepth });
        _ended = !_json.Read();
    }

    /// <summary>Whether the next token is of a type.</summary>
    public readonly bool IsAt(JsonTokenType type) => !_ended && _json.TokenType == type;

    /// <summary>Whether the next token is the name of this member.</summary>
    public readonly bool IsAt(ReadOnlySpan<byte> name) =>
        IsAt(JsonTokenType.PropertyName) && _json.ValueTextEquals(name);

    /// <summary>Passes over a bracket.</summary>
    public void Take(JsonTokenType type)
    {
        Require(IsAt(type));
        Advance();
    }

    /// <summary>Passes over a member's name.</summary>
    public void Take(ReadOnlySpan<byte> name)
    {
        Require(IsAt(name));
        Advance();
    }

    /// <summary>Reads any member's name.</summary>
    public string TakeName()
    {
        Require(IsAt(JsonTokenType.PropertyName));
        return TakeText();
    }

    /// <summary>Reads a string.</summary>
    public string TakeString()
    {
        Require(IsAt(JsonTokenType.String));
        return TakeText();
    }

    /// <summary>Reads a member that is a string.</summary>
    public string TakeString(ReadOnlySpan<byte> name)
    {
        Take(name);
        return TakeString();
    }

    /// <summary>Reads a member that is a string, where it is there.</summary>
    public string? TakeStringIfAny(ReadOnlySpan<byte> name) => IsAt(name) ? TakeString(name) : null;

    /// <summary>Reads a member that is a number of seconds since 1970.</summary>
    public DateTimeOffset TakeTime(ReadOnlySpan<byte> name)
    {
        Take(name);
        Require(IsAt(JsonTokenType.Number) && _json.TryGetInt64(out _));
        var seconds = _json.GetInt64();
        Require(seconds is >= 0 and <= 253_402_300_799); // the last second of the year 9999
        Advance();
        return DateTimeOffset.FromUnixTimeSeconds(seconds);
    }

    /// <summary>Reads a member that is an array of strings; empty where it is not there.</summary>
    public List<string> TakeStringsIfAny(ReadOnlySpan<byte> name)
    {
        var values = new List<string>();
        if (IsAt(name))
        {
            Take(name);
            Take(JsonTokenType.StartArray);
            while (!IsAt(JsonTokenType.EndArray))
            {
                values.Add(TakeString());
            }

            Take(JsonTokenType.EndArray);
        }

        return values;
    }

    /// <summary>Makes sure that nothing follows.</summary>
    public readonly void End() => Require(_ended);

    /// <summary>Throws unless a condition holds.</summary>
    public static void Require(bool condition)
    {
        if (!condition)
        {
            throw new JsonException();
        }
    }

    private string TakeText()
    {
        var text = _json.GetString()!;
        Advance();
        return text;
    }

    private void Advance() => _ended = !_json.Read(); // throws at what follows the end
}
