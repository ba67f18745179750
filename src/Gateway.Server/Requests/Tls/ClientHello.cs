using System.Buffers;
using System.Buffers.Binary;

namespace Gateway.Server.Requests.Tls;

/// <summary>Reads from a ClientHello whether the client can verify an ECDSA certificate.</summary>
/// <remarks>
/// RFC 8446, sections 4.1.2 and 5.1. What is malformed counts as able: the handshake itself refuses it in a moment.
/// </remarks>
internal static class ClientHello
{
    private const int RecordHeader = 5;
    private const int LongestRecord = 1 << 14;
    private const ushort SignatureAlgorithms = 13;

    /// <param name="input">What the client sent so far; untrusted.</param>
    /// <returns><see langword="null"/> while the first record is incomplete.</returns>
    public static bool? VerifiesEcdsa(ReadOnlySequence<byte> input)
    {
        Span<byte> header = stackalloc byte[RecordHeader];
        if (input.Length < RecordHeader)
        {
            return null;
        }

        input.Slice(0, RecordHeader).CopyTo(header);
        var length = BinaryPrimitives.ReadUInt16BigEndian(header[3..]);
        if (header[0] != 22 || header[1] != 3 || length > LongestRecord) // a handshake record
        {
            return true;
        }

        if (input.Length < RecordHeader + length)
        {
            return null;
        }

        var record = input.Slice(RecordHeader, length);
        return record.IsSingleSegment ? ReadMessage(record.FirstSpan) : ReadMessage(record.ToArray());
    }

    private static bool ReadMessage(ReadOnlySpan<byte> message)
    {
        // Type and length, version, random, session id; cipher suites; compression methods; extensions.
        if (message.Length < 38 || message[0] != 1)
        {
            return true;
        }

        var rest = message[38..];
        if (!TryTake(ref rest, 1, out _) || !TryTake(ref rest, 2, out var suites)
            || !TryTake(ref rest, 1, out _) || !TryTake(ref rest, 2, out var extensions))
        {
            return true;
        }

        return HasSuiteForEcdsa(suites) && HasSignatureOfEcdsa(extensions);
    }

    // Before TLS 1.3 the cipher suite names the kind of certificate; since then only the signature algorithms do.
    private static bool HasSuiteForEcdsa(ReadOnlySpan<byte> suites)
    {
        for (; suites.Length >= 2; suites = suites[2..])
        {
            if (BinaryPrimitives.ReadUInt16BigEndian(suites) is
                0x1301 or 0x1302 or 0x1303 or 0xC009 or 0xC00A or 0xC023 or 0xC024 or 0xC02B or 0xC02C or 0xCCA9)
            {
                return true;
            }
        }

        return false;
    }

    private static bool HasSignatureOfEcdsa(ReadOnlySpan<byte> extensions)
    {
        while (extensions.Length >= 4)
        {
            var type = BinaryPrimitives.ReadUInt16BigEndian(extensions);
            extensions = extensions[2..];
            if (!TryTake(ref extensions, 2, out var content))
            {
                return true;
            }

            if (type == SignatureAlgorithms && TryTake(ref content, 2, out var algorithms))
            {
                for (; algorithms.Length >= 2; algorithms = algorithms[2..])
                {
                    if (BinaryPrimitives.ReadUInt16BigEndian(algorithms) is 0x0403 or 0x0503 or 0x0603)
                    {
                        return true;
                    }
                }

                return false;
            }
        }

        return false; // without the extension SHA-1 is meant, which only a very old client would
    }

    /// <summary>Takes a vector: its length in <paramref name="size"/> bytes, then as many bytes.</summary>
    private static bool TryTake(ref ReadOnlySpan<byte> rest, int size, out ReadOnlySpan<byte> content)
    {
        content = default;
        if (rest.Length < size)
        {
            return false;
        }

        var length = size == 1 ? rest[0] : BinaryPrimitives.ReadUInt16BigEndian(rest);
        if (rest.Length < size + length)
        {
            return false;
        }

        content = rest.Slice(size, length);
        rest = rest[(size + length)..];
        return true;
    }
}
