using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gateway.Core.Tokens;

namespace Gateway.Server.Tokens.Service;

/// <summary>The answer to a token request that is granted, however little. Prints no secret.</summary>
/// <param name="Token">The access token.</param>
/// <param name="Granted">What it was granted.</param>
/// <param name="RefreshToken">The refresh token, where one was asked for and may be given.</param>
internal sealed record TokenAnswer(AccessToken Token, AccessScope Granted, string? RefreshToken)
{
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>
    /// The type of what was exchanged (RFC 8693, section 2.2.1); <see langword="null"/> where nothing was.
    /// </summary>
    public string? IssuedTokenType { get; init; }

    /// <summary>The body.</summary>
    /// <remarks>
    /// Distribution's specifications want <c>token</c> for GET and <c>access_token</c> for POST; clients read either.
    /// No <c>issued_at</c>: it would tie the token's lifetime to the client's clock. No <c>refresh_token</c> unless
    /// there is one: docker stores its value instead of the password.
    /// </remarks>
    public ReadOnlyMemory<byte> Serialize()
    {
        var buffer = new ArrayBufferWriter<byte>(2048);
        using var json = new Utf8JsonWriter(buffer, Relaxed);
        json.WriteStartObject();
        if (IssuedTokenType is null)
        {
            json.WriteString("token", Token.Text);
        }
        else
        {
            json.WriteString("issued_token_type", IssuedTokenType);
            json.WriteString("token_type", "Bearer");
        }

        json.WriteString("access_token", Token.Text);
        json.WriteNumber("expires_in", (long)Token.Lifetime.TotalSeconds);
        json.WriteString("scope", Granted.ToString());
        if (RefreshToken is not null)
        {
            json.WriteString("refresh_token", RefreshToken);
        }

        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }

    /// <inheritdoc/>
    public override string ToString() => "***";
}
