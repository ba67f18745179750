using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.Server.Records.Audit;

/// <summary>
/// Ties lines together: each one's hash is over the hash before it and its own bytes, up to its member <c>hash</c>.
/// </summary>
/// <remarks>
/// With a key it is HMAC-SHA-256, and only who has the key can make a chain that verifies. Without one it is SHA-256:
/// anyone who can write the file can rewrite the whole chain, and only a hash kept elsewhere tells.
/// </remarks>
internal sealed class HashChain
{
    /// <summary>The length of a hash as text.</summary>
    public const int TextLength = 43;

    private const int Size = 32;
    private const int OnStack = 2048; // longer than all lines but those with the longest texts

    // Parts of this program that use the same secret for something else get other keys.
    private static readonly byte[] Purpose = "registry-gateway audit chain v1"u8.ToArray();

    private readonly byte[]? _key;

    /// <param name="key">The key, or <see langword="null"/> for none.</param>
    public HashChain(string? key)
    {
        _key = key is null ? null : HMACSHA256.HashData(Encoding.UTF8.GetBytes(key), Purpose);
        Algorithm = _key is null
            ? "sha256"
            : "hmac-sha256:" + Convert.ToHexStringLower(HMACSHA256.HashData(_key, "name"u8).AsSpan(0, 4));
    }

    /// <summary>What precedes the very first line.</summary>
    public static string Genesis { get; } = Base64Url.EncodeToString(new byte[Size]);

    /// <summary>
    /// The name of the way, as the first line of a file says it; with a key also which one, without telling anything
    /// about it: <c>hmac-sha256:9f86d081</c>.
    /// </summary>
    public string Algorithm { get; }

    /// <summary>The hash of a line.</summary>
    /// <param name="previous">The hash of the line before it, as text.</param>
    /// <param name="line">The line's bytes before <c>,"hash":</c>.</param>
    public string Next(string previous, ReadOnlySpan<byte> line)
    {
        // One call on one piece of memory: an incremental hash costs more to begin than such a line to hash.
        var length = Size + line.Length;
        var rented = length <= OnStack ? null : ArrayPool<byte>.Shared.Rent(length);
        var input = rented is null ? stackalloc byte[OnStack] : rented;
        Base64Url.DecodeFromChars(previous, input);
        line.CopyTo(input[Size..]);
        Span<byte> result = stackalloc byte[Size];
        _ = _key is null
            ? SHA256.HashData(input[..length], result)
            : HMACSHA256.HashData(_key, input[..length], result);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }

        return Base64Url.EncodeToString(result);
    }

    /// <summary>Whether text has the form of a hash.</summary>
    public static bool IsHash(string? text) =>
        text is { Length: TextLength } && Base64Url.IsValid(text, out var length) && length == Size;
}

/// <summary>The position of a chain: the number and the hash of its last line.</summary>
/// <param name="Sequence">The number of the last line; 0 before the first.</param>
/// <param name="Hash">Its hash.</param>
internal readonly record struct ChainPosition(long Sequence, string Hash)
{
    /// <summary>Before the first line.</summary>
    public static ChainPosition Start { get; } = new(0, HashChain.Genesis);

    /// <summary>As commands show and accept it: <c>17:Yx…</c>.</summary>
    public override string ToString() => FormattableString.Invariant($"{Sequence}:{Hash}");
}
