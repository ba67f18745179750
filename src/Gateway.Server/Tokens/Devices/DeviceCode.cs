using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Gateway.Core.Tokens;
using Gateway.Server.Store.Keys;
using Gateway.Server.Store.State;

namespace Gateway.Server.Tokens.Devices;

/// <summary>
/// What a device keeps until a person authorizes it (RFC 8628, section 3.2): <c>rgd.</c>, its content, and an
/// HMAC-SHA256 over that. Nothing is stored before a signed-in person authorizes it, so strangers cannot fill the
/// store.
/// </summary>
/// <param name="UserCode">What the person compares.</param>
/// <param name="Service">The host that it is good for.</param>
/// <param name="ExpiresAt">Its end, in whole seconds.</param>
internal sealed record DeviceCode(string UserCode, string Service, DateTimeOffset ExpiresAt)
{
    private const string Prefix = DeviceAuthorization.DeviceCodePrefix;
    private const int MaxLength = 1024;
    private const string Purpose = "device code";

    /// <summary>The key under which a person's approval is stored.</summary>
    public static SecretHash ApprovalHash(string service, string userCode) =>
        SecretHash.Of($"device:{service}:{userCode}");

    /// <summary>The text, signed with the active key. Random bytes make each one another.</summary>
    public string Sign(SigningKeyRing keys, DateTimeOffset now)
    {
        var payload = string.Join(
            '|', UserCode, Service, ExpiresAt.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
            Convert.ToHexString(RandomNumberGenerator.GetBytes(16)));
        var text = Prefix + Base64Url.EncodeToString(Encoding.UTF8.GetBytes(payload));
        return text + "." + Base64Url.EncodeToString(Mac(keys.ActiveAt(now), text));
    }

    /// <summary>
    /// Reads one that this gateway, or a replica of it, has signed; <see langword="null"/> for anything else.
    /// </summary>
    /// <param name="text">Untrusted.</param>
    /// <param name="keys">Those in force.</param>
    public static DeviceCode? Read(string text, SigningKeyRing keys)
    {
        var parts = text.Split('.');
        if (text.Length > MaxLength || parts.Length != 3 || parts[0] + "." != Prefix
            || !CanonicalBase64Url.TryDecode(parts[1], out var payload)
            || !CanonicalBase64Url.TryDecode(parts[2], out var mac))
        {
            return null;
        }

        var signed = Prefix + parts[1];
        if (!keys.Keys.Any(key => CryptographicOperations.FixedTimeEquals(Mac(key, signed), mac)))
        {
            return null;
        }

        var fields = Encoding.UTF8.GetString(payload).Split('|');
        return new DeviceCode(
            fields[0], fields[1],
            DateTimeOffset.FromUnixTimeSeconds(long.Parse(fields[2], CultureInfo.InvariantCulture)));
    }

    /// <inheritdoc/>
    public override string ToString() => "***";

    private static byte[] Mac(SigningKey key, string text) =>
        HMACSHA256.HashData(key.DeriveKey(Purpose), Encoding.ASCII.GetBytes(text));
}
