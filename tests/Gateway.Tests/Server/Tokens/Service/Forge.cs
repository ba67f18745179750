using System.Buffers.Text;
using System.Text;
using Gateway.Server.Store.Keys;

namespace Gateway.Tests.Server.Tokens.Service;

/// <summary>Puts tokens together as an attacker does, or as a gateway with a fault would.</summary>
internal static class Forge
{
    /// <summary>A token with any header and payload, and a signature over them by a real key.</summary>
    public static string Signed(SigningKey key, string header, string payload) => Signed(key, header, Utf8(payload));

    public static string Signed(SigningKey key, string header, byte[] payload)
    {
        var signed = Encode(Utf8(header)) + "." + Encode(payload);
        return signed + "." + Encode(key.Sign(Utf8(signed)));
    }

    /// <summary>A token with any signature.</summary>
    public static string WithSignature(string header, string payload, Func<byte[], byte[]> sign)
    {
        var signed = Encode(Utf8(header)) + "." + Encode(Utf8(payload));
        return signed + "." + Encode(sign(Utf8(signed)));
    }

    /// <summary>The header that this gateway writes.</summary>
    public static string Header(SigningKey key) => Header(key.Algorithm.ToString(), key.Id);

    public static string Header(string algorithm, string id) =>
        $$"""{"typ":"JWT","alg":"{{algorithm}}","kid":"{{id}}"}""";

    /// <summary>The three parts.</summary>
    public static (string Header, string Payload, string Signature) Parts(string token) =>
        token.Split('.') is [var header, var payload, var signature]
            ? (header, payload, signature)
            : throw new ArgumentException("not three parts", nameof(token));

    /// <summary>A part as text.</summary>
    public static string Decode(string part) => Encoding.UTF8.GetString(Base64Url.DecodeFromChars(part));

    public static string Encode(byte[] bytes) => Base64Url.EncodeToString(bytes);

    public static string Encode(string text) => Encode(Utf8(text));

    public static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
