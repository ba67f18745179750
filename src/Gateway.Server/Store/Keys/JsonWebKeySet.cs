using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;

namespace Gateway.Server.Store.Keys;

/// <summary>Public keys as a JWK Set (RFC 7517, section 5).</summary>
internal static class JsonWebKeySet
{
    /// <summary>
    /// Writes the public keys. <c>kid</c> is the libtrust id, so that Distribution 3 finds in this file what
    /// Distribution 2.8 works out from the certificate.
    /// </summary>
    public static byte[] Write(IEnumerable<SigningKey> keys)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteStartArray("keys");
        foreach (var key in keys)
        {
            Write(json, key);
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    private static void Write(Utf8JsonWriter json, SigningKey key)
    {
        var (ec, rsa) = key.PublicNumbers();
        json.WriteStartObject();
        json.WriteString("kid", key.Id);
        json.WriteString("use", "sig");
        if (key.Algorithm == SigningAlgorithm.ES256)
        {
            // .NET gives coordinates in the curve's full width, as RFC 7518, section 6.2.1.2 demands: 32 bytes.
            json.WriteString("alg", "ES256");
            json.WriteString("kty", "EC");
            json.WriteString("crv", "P-256");
            json.WriteString("x", Base64Url.EncodeToString(ec.Q.X));
            json.WriteString("y", Base64Url.EncodeToString(ec.Q.Y));
        }
        else
        {
            json.WriteString("alg", "RS256");
            json.WriteString("kty", "RSA");
            json.WriteString("n", Base64Url.EncodeToString(rsa.Modulus));
            json.WriteString("e", Base64Url.EncodeToString(rsa.Exponent));
        }

        json.WriteEndObject();
    }
}
