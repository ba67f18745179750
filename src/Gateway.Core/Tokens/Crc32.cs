namespace Gateway.Core.Tokens;

/// <summary>CRC-32 of ISO 3309, the checksum of zlib, gzip and PNG. It finds slips; it protects nothing.</summary>
/// <remarks><c>BitOperations.Crc32C</c> has another polynomial; a package is too much for twenty lines.</remarks>
internal static class Crc32
{
    // Half a byte at a time: the texts are short, and 16 entries can be compared with any published table of 256.
    private static ReadOnlySpan<uint> Table =>
    [
        0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
        0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
    ];

    /// <summary>The checksum of ASCII text.</summary>
    public static uint Of(ReadOnlySpan<char> ascii)
    {
        var crc = uint.MaxValue;
        foreach (var character in ascii)
        {
            crc ^= character;
            crc = Table[(int)(crc & 15)] ^ (crc >> 4);
            crc = Table[(int)(crc & 15)] ^ (crc >> 4);
        }

        return ~crc;
    }
}
