using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Gateway.Server.Tokens.Credentials;

/// <summary>The wire format of tokens, named like the settings and the details of errors.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(TokenDocument))]
[JsonSerializable(typeof(TokenListDocument))]
[JsonSerializable(typeof(IssuedTokenDocument))]
internal sealed partial class TokenJsonContext : JsonSerializerContext
{
    /// <summary>For a terminal, which no page embeds: on several lines, and quotes need not be \u0022.</summary>
    public static readonly TokenJsonContext Readable = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
