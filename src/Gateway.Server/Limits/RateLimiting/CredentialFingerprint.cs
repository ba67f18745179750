using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Gateway.Core.RateLimiting;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Store.Keys;

namespace Gateway.Server.Limits.RateLimiting;

/// <summary>
/// Tells the same wrong password from another one without holding either: an HMAC-SHA256 of account, password and
/// address under a key that the signing keys derive, so that all replicas come to the same and Redis alone gives
/// nothing away.
/// </summary>
internal sealed class CredentialFingerprint(ISigningKeys keys, TimeProvider time)
{
    private static readonly byte[] ProcessKey = RandomNumberGenerator.GetBytes(32);

    private Derived? _derived;

    /// <summary>The fingerprint: 22 characters.</summary>
    public string Compute(string userName, string password, IPAddress address)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, Key());
        Append(hmac, userName); // as sent: "Alice" and "alice" are two guesses
        Append(hmac, password);
        Append(hmac, LimitKey.AddressOf(address));
        return Base64Url.EncodeToString(hmac.GetHashAndReset().AsSpan(..16));
    }

    // Each part with its length in front, so that no two contexts give the same bytes.
    private static void Append(IncrementalHash hmac, string part)
    {
        var bytes = Encoding.UTF8.GetBytes(part);
        hmac.AppendData(BitConverter.GetBytes(bytes.Length));
        hmac.AppendData(bytes);
        CryptographicOperations.ZeroMemory(bytes);
    }

    private byte[] Key()
    {
        SigningKey source;
        try
        {
            source = keys.Current.ActiveAt(time.GetUtcNow());
        }
        catch (StateException)
        {
            return ProcessKey; // no keys yet: the same password sent to two replicas counts twice meanwhile
        }

        var derived = Volatile.Read(ref _derived);
        if (derived?.Source != source)
        {
            derived = new Derived(source, source.DeriveKey("sign-in failure"));
            Volatile.Write(ref _derived, derived);
        }

        return derived.Secret;
    }

    private sealed record Derived(SigningKey Source, byte[] Secret);
}
