using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gateway.Server.Store.State;
using StackExchange.Redis;

namespace Gateway.Backup;

/// <summary>One item from Redis.</summary>
/// <param name="Kind">Its kind.</param>
/// <param name="Name">A credential's id, a hash's name; else empty.</param>
/// <param name="Values">
/// The schema's version; a credential's sequence, expiry, and its fields and values in turn; a change; a field and its
/// value.
/// </param>
internal sealed record RedisLine(string Kind, string Name, string[] Values)
{
    public const string Schema = "schema", Credential = "credential", Change = "change", Field = "field";

    private const int Positions = 2; // sequence and expiry come before a credential's fields

    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>As a line: a list of kind, name and values.</summary>
    public string Write()
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer, Relaxed))
        {
            json.WriteStartArray();
            json.WriteStringValue(Kind);
            json.WriteStringValue(Name);
            foreach (var value in Values)
            {
                json.WriteStringValue(value);
            }

            json.WriteEndArray();
        }

        return System.Text.Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Reads one.</summary>
    /// <exception cref="JsonException">It is not a list.</exception>
    /// <exception cref="FormatException">It is not one of these items.</exception>
    public static RedisLine Read(string line)
    {
        using var document = JsonDocument.Parse(line);
        if (document.RootElement.ValueKind != JsonValueKind.Array)
        {
            throw new FormatException("not a list");
        }

        var texts = document.RootElement.EnumerateArray()
            .Select(
                static element => element.ValueKind == JsonValueKind.String
                    ? element.GetString()!
                    : throw new FormatException("not text"))
            .ToArray();
        var read = texts.Length > 2
            ? new RedisLine(texts[0], texts[1], texts[2..])
            : throw new FormatException("too short");
        return read.IsValid() ? read : throw new FormatException("unknown kind");
    }

    /// <summary>The arguments for <see cref="RedisBackupScripts.Import"/>.</summary>
    public RedisValue[] ToArguments() => Kind switch
    {
        Credential =>
        [
            Kind, Name, Values[0], Values[1], FieldOf("hash"), FieldOf("owner"),
            .. Values.Skip(Positions).Select(static value => (RedisValue)value),
        ],
        Change => [Kind, Name, Values[0], Values[0].Split(' ')[0]],
        _ => [Kind, Name, .. Values.Select(static value => (RedisValue)value)],
    };

    private bool IsValid() => Kind switch
    {
        Schema => Values is [RedisScripts.SchemaVersion],
        Credential => Name.Length > 0 && Values.Length > Positions && Values.Length % 2 == 0
            && IsNumber(Values[0]) && IsNumber(Values[1]) && FieldOf("hash").Length > 0 && FieldOf("owner").Length > 0,
        Change => Values.Length == 1 && IsNumber(Values[0].Split(' ')[0]) && Values[0].Split(' ', 4).Length == 4,
        Field => Values.Length == 2
            && (Name is "last" or "identities" or "keys" or "data-protection"
                || (Name == "blocks" && RedisCredentialStore.IsBlock(Values[0], Values[1]))),
        _ => false,
    };

    private static bool IsNumber(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _);

    private string FieldOf(string field)
    {
        for (var i = Positions; i + 1 < Values.Length; i += 2)
        {
            if (Values[i] == field)
            {
                return Values[i + 1];
            }
        }

        return "";
    }
}
