using System.Buffers.Text;
using System.Globalization;
using System.Numerics;
using Gateway.Core.Tokens;

namespace Gateway.Server.SignIn.Workloads;

/// <summary>
/// The two forms of an ECDSA signature: where (r, s) is good, (r, n − s) is good as well, n being the order of the
/// curve (RFC 7518, section 3.4, asks for neither). Anyone who has one can create the other.
/// </summary>
internal static class EcdsaForms
{
    // SEC 2, sections 2.4.2, 2.5.1 and 2.6.1.
    private static readonly BigInteger P256 = Parse("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");

    private static readonly BigInteger P384 = Parse(
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973");

    private static readonly BigInteger P521 = Parse(
        "01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB"
        + "6FB71E91386409");

    /// <summary>The same token with the other form of its signature.</summary>
    /// <param name="token">One that was verified.</param>
    /// <returns><see langword="null"/> where there is one form only (RSA).</returns>
    public static string? OtherFormOf(string token)
    {
        if (JwtParts.Read(token, out _) is not { } parts || OrderOf(parts.Algorithm) is not { } order)
        {
            return null;
        }

        var half = parts.Signature.Length / 2;
        var other = order - new BigInteger(parts.Signature.AsSpan(half), isUnsigned: true, isBigEndian: true);
        var bytes = other.ToByteArray(isUnsigned: true, isBigEndian: true);
        var signature = new byte[2 * half];
        parts.Signature.AsSpan(0, half).CopyTo(signature);
        bytes.CopyTo(signature, signature.Length - bytes.Length);
        return $"{JwtParts.SignedPartOf(token)}.{Base64Url.EncodeToString(signature)}";
    }

    private static BigInteger? OrderOf(string algorithm) => algorithm switch
    {
        "ES256" => P256,
        "ES384" => P384,
        "ES512" => P521,
        _ => null,
    };

    private static BigInteger Parse(string hex) =>
        BigInteger.Parse("0" + hex, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
