using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Gateway.Backup;

/// <summary>The form of an encrypted archive.</summary>
/// <remarks>
/// <code>
/// magic       8    "RGBACK1\n"
/// iterations  4    of PBKDF2-SHA256, big-endian
/// chunk       4    bytes of plain text in each chunk but the last, big-endian
/// salt       16
/// nonce       7    the beginning of every chunk's nonce
/// chunks           AES-256-GCM, each followed by its tag of 16 bytes
/// </code>
/// A chunk's nonce is the 7 bytes, its number (4 bytes, big-endian) and 1 for the last, 0 for the others (the STREAM
/// construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015): chunks that are missing, repeated or out of order are
/// detected, and so is a file that ends early. The header is the associated data of each.
/// </remarks>
internal static class SealedFormat
{
    public const int HeaderLength = 39, SaltLength = 16, PrefixLength = 7, TagLength = 16, NonceLength = 12;

    /// <summary>The plain text of a chunk.</summary>
    public const int ChunkLength = 64 * 1024;

    /// <summary>OWASP's recommendation, and the least that is accepted.</summary>
    public const int Iterations = 600_000;

    private const int MostIterations = 10_000_000;

    /// <summary>The first bytes of an encrypted archive.</summary>
    public static ReadOnlySpan<byte> Magic => "RGBACK1\n"u8;

    /// <summary>A header with a new salt.</summary>
    public static byte[] CreateHeader()
    {
        var header = new byte[HeaderLength];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(8), Iterations);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(12), ChunkLength);
        RandomNumberGenerator.Fill(header.AsSpan(16, SaltLength + PrefixLength));
        return header;
    }

    /// <summary>
    /// Whether the gateway could have written a header: its values decide how long deriving the key takes.
    /// </summary>
    public static bool IsHeader(ReadOnlySpan<byte> header) =>
        header.Length == HeaderLength && header.StartsWith(Magic)
        && BinaryPrimitives.ReadInt32BigEndian(header[8..]) is >= Iterations and <= MostIterations
        && BinaryPrimitives.ReadInt32BigEndian(header[12..]) == ChunkLength;

    /// <summary>The key for a passphrase.</summary>
    public static byte[] DeriveKey(string passphrase, ReadOnlySpan<byte> header) => Rfc2898DeriveBytes.Pbkdf2(
        passphrase, header.Slice(16, SaltLength), BinaryPrimitives.ReadInt32BigEndian(header[8..]),
        HashAlgorithmName.SHA256, 32);

    /// <summary>The nonce of a chunk.</summary>
    public static void WriteNonce(Span<byte> nonce, ReadOnlySpan<byte> header, uint number, bool isLast)
    {
        header.Slice(16 + SaltLength, PrefixLength).CopyTo(nonce);
        BinaryPrimitives.WriteUInt32BigEndian(nonce[PrefixLength..], number);
        nonce[NonceLength - 1] = isLast ? (byte)1 : (byte)0;
    }
}
