using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Gateway.Core.Registry;
using Gateway.Core.Tokens;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Store.Keys;
using Gateway.Server.Tokens.Service;

namespace Gateway.Server.Registry.Uploads;

/// <summary>The format of tickets: a payload and an HMAC-SHA256 under keys that the signing keys derive.</summary>
/// <remarks>
/// <c>version (1) | key hint (4) | continue until, Unix seconds (8) | subject (32) | upstream's query | HMAC (32)</c>,
/// in base64url. The HMAC also covers registry, repository and upload, which a ticket does not hold: the request names
/// them, and a ticket presented for another upload is no ticket.
/// </remarks>
internal sealed class UploadTickets(ISigningKeys keys, TimeProvider time) : IUploadTickets
{
    private const byte Version = 1;
    private const int HintStart = 1;
    private const int UntilStart = HintStart + sizeof(uint);
    private const int SubjectStart = UntilStart + sizeof(long);
    private const int QueryStart = SubjectStart + SHA256.HashSizeInBytes;
    private const int Overhead = QueryStart + HMACSHA256.HashSizeInBytes;
    private const int MaxLength = Overhead + RegistryLocation.MaxQueryLength;

    private Ring? _ring;

    public string Write(UploadTicket ticket, string registry, RepositoryName repository, UploadId upload)
    {
        var bytes = new byte[Overhead + ticket.UpstreamQuery.Length];
        var ring = CurrentRing();
        var key = ring.KeyFor(ring.Source.ActiveAt(time.GetUtcNow()));
        bytes[0] = Version;
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(HintStart), key.Hint);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(UntilStart), ticket.ContinueUntil.ToUnixTimeSeconds());
        Convert.FromHexString(ticket.Subject, bytes.AsSpan(SubjectStart, SHA256.HashSizeInBytes), out _, out _);
        Encoding.ASCII.GetBytes(ticket.UpstreamQuery, bytes.AsSpan(QueryStart));
        var payload = bytes.AsSpan(..^HMACSHA256.HashSizeInBytes);
        Sign(key, payload, registry, repository, upload, bytes.AsSpan(payload.Length));
        return Base64Url.EncodeToString(bytes);
    }

    public UploadTicket? Read(string text, string registry, RepositoryName repository, UploadId upload)
    {
        if (Decode(text) is not { Length: >= Overhead } bytes || bytes[0] != Version)
        {
            return null;
        }

        var payload = bytes.AsSpan(..^HMACSHA256.HashSizeInBytes);
        var hint = BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(HintStart));
        Span<byte> expected = stackalloc byte[HMACSHA256.HashSizeInBytes];
        foreach (var key in CurrentRing().Keys)
        {
            if (key.Hint != hint)
            {
                continue;
            }

            Sign(key, payload, registry, repository, upload, expected);
            if (CryptographicOperations.FixedTimeEquals(expected, bytes.AsSpan(payload.Length)))
            {
                // Ours, so it is well formed; but no setting lets one reach further than this.
                var until = DateTimeOffset.FromUnixTimeSeconds(
                    BinaryPrimitives.ReadInt64BigEndian(payload[UntilStart..]));
                return until - time.GetUtcNow() > TokenOptions.LongestUploadWindow + AccessTokenVerifier.Leeway
                    ? null
                    : new UploadTicket(
                    Convert.ToHexStringLower(payload[SubjectStart..QueryStart]),
                    until,
                    Encoding.ASCII.GetString(payload[QueryStart..]));
            }
        }

        return null;
    }

    private static byte[]? Decode(string text) =>
        text.Length <= Base64Url.GetEncodedLength(MaxLength) && CanonicalBase64Url.TryDecode(text, out var bytes)
            ? bytes
            : null;

    // Each part with its length in front, so that no two contexts give the same bytes.
    private static void Sign(
        Key key, ReadOnlySpan<byte> payload, string registry, RepositoryName repository, UploadId upload,
        Span<byte> mac)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key.Secret);
        Append(hmac, Encoding.UTF8.GetBytes(registry));
        Append(hmac, Encoding.ASCII.GetBytes(repository.Value));
        Append(hmac, Encoding.ASCII.GetBytes(upload.Value));
        Append(hmac, payload);
        hmac.GetHashAndReset(mac);
    }

    private static void Append(IncrementalHash hmac, ReadOnlySpan<byte> part)
    {
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(length, part.Length);
        hmac.AppendData(length);
        hmac.AppendData(part);
    }

    // Deriving costs more than signing, and the keys change once in months.
    private Ring CurrentRing()
    {
        var current = keys.Current;
        var ring = Volatile.Read(ref _ring);
        if (ring?.Source != current)
        {
            ring = new Ring(current, [.. current.Keys.Select(static key => new Key(key))]);
            Volatile.Write(ref _ring, ring);
        }

        return ring;
    }

    private sealed record Ring(SigningKeyRing Source, Key[] Keys)
    {
        public Key KeyFor(SigningKey source) => Array.Find(Keys, key => key.Source == source)!;
    }

    private sealed class Key(SigningKey source)
    {
        public SigningKey Source { get; } = source;

        public byte[] Secret { get; } = source.DeriveKey("upload ticket");

        /// <summary>Tells which of the keys to try; it proves nothing.</summary>
        public uint Hint { get; } = BinaryPrimitives.ReadUInt32BigEndian(
            SHA256.HashData(Encoding.ASCII.GetBytes(source.Id)));
    }
}
