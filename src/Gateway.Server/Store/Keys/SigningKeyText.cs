using System.Globalization;
using System.Security.Cryptography;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.Store.Keys;

/// <summary>
/// A signing key as text: PKCS#8 PEM, and before it the lines that tell when it was made and from when on it signs.
/// </summary>
/// <remarks>RFC 7468, section 2 allows text before a block; openssl and everybody else reads over it.</remarks>
internal static class SigningKeyText
{
    private const string Created = "Created: ";
    private const string ActiveFrom = "Active-From: ";
    private const string Seconds = "yyyy-MM-dd'T'HH:mm:ss'Z'";
    private const string Milliseconds = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
    private static readonly string[] TimeFormats = [Milliseconds, Seconds];

    private const string Encrypted = "ENCRYPTED PRIVATE KEY";
    private const string Usable = "Use one private key, ECDSA on P-256 or RSA of 2048 bits or more, as PKCS#8 PEM.";

    /// <summary>Writes a key.</summary>
    /// <param name="key">One that the gateway made.</param>
    /// <param name="password">What it is encrypted with; <see langword="null"/> for a file of the gateway's.</param>
    public static string Write(SigningKey key, string? password) => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        Key: {key.Id} {key.Algorithm}
        {Created}{Format(key.CreatedAt ?? key.ActiveFrom, Milliseconds)}
        {ActiveFrom}{Format(key.ActiveFrom, Milliseconds)}
        {key.ToPem(password)}

        """);

    /// <summary>A time as people see it.</summary>
    public static string Format(DateTimeOffset time) => Format(time, Seconds);

    /// <summary>The time as far as the text keeps it: to the millisecond.</summary>
    public static DateTimeOffset Truncate(DateTimeOffset time) =>
        DateTimeOffset.FromUnixTimeMilliseconds(time.ToUnixTimeMilliseconds());

    /// <summary>Reads a key.</summary>
    /// <param name="source">Where it is, for messages.</param>
    /// <param name="text">The text; a certificate may be next to the key.</param>
    /// <param name="password">What opens it; <see langword="null"/> where keys are not encrypted.</param>
    /// <param name="activeFromUnlessSaid">From when on a key signs whose text does not tell.</param>
    /// <exception cref="ProblemException">It is not a key that the gateway can use.</exception>
    public static SigningKey Read(string source, string text, string? password, DateTimeOffset activeFromUnlessSaid)
    {
        var begin = text.IndexOf("-----BEGIN ", StringComparison.Ordinal);
        var lines = begin < 0 ? "" : text[..begin];
        var activeFrom = ReadTime(source, lines, ActiveFrom) ?? activeFromUnlessSaid;
        return new SigningKey(ReadKey(source, text, password), activeFrom, ReadTime(source, lines, Created));
    }

    private static string Format(DateTimeOffset time, string format) =>
        time.UtcDateTime.ToString(format, CultureInfo.InvariantCulture);

    private static DateTimeOffset? ReadTime(string source, string lines, string name)
    {
        foreach (var line in lines.AsSpan().EnumerateLines())
        {
            if (!line.StartsWith(name, StringComparison.Ordinal))
            {
                continue;
            }

            const DateTimeStyles utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
            var value = line[name.Length..].Trim();
            return DateTimeOffset.TryParseExact(value, TimeFormats, CultureInfo.InvariantCulture, utc, out var time)
                ? time
                : throw Wrong(
                    source, $"{name[..^2]}: is not a time", value.ToString(),
                    "Write it as 2026-01-31T12:00:00Z, in UTC.");
        }

        return null;
    }

    private static AsymmetricAlgorithm ReadKey(string source, string text, string? password)
    {
        string? label = null;
        AsymmetricAlgorithm? found = null;
        for (var rest = 0; PemEncoding.TryFind(text.AsSpan(rest), out var fields);)
        {
            var block = text.AsSpan(rest)[fields.Location];
            label = text.AsSpan(rest)[fields.Label].ToString();
            rest += fields.Location.End.Value;
            if (!label.EndsWith("PRIVATE KEY", StringComparison.Ordinal))
            {
                continue; // a certificate, or the parameters that openssl ecparam puts before a key
            }

            if (found is not null)
            {
                found.Dispose();
                throw Wrong(source, "it has several private keys", null, "Put each in a file of its own.");
            }

            found = Import(source, label, block, password);
        }

        if (found is null)
        {
            throw Wrong(source, "it has no private key, or is truncated", label, Usable);
        }

        if (SigningKey.FaultOf(found) is { } fault)
        {
            found.Dispose();
            throw Wrong(source, fault, null, Usable);
        }

        return found;
    }

    private static AsymmetricAlgorithm Import(string source, string label, ReadOnlySpan<char> block, string? password)
    {
        if (label == Encrypted && password is null)
        {
            throw Wrong(
                source, "the private key is encrypted", null,
                "Decrypt it with openssl pkey -in KEY -out NEWKEY, mode 0600; the gateway has no password for it.");
        }

        if (label != Encrypted && password is not null)
        {
            // Anyone who can write there, but does not know the password, must not be able to add a key.
            throw Wrong(
                source, "the private key is not encrypted with tokens.keys.password", label,
                "Remove it, and create a new one: gateway keys rotate.");
        }

        foreach (var key in (AsymmetricAlgorithm[])[ECDsa.Create(), RSA.Create()])
        {
            try
            {
                if (label == Encrypted)
                {
                    key.ImportFromEncryptedPem(block, password);
                }
                else
                {
                    key.ImportFromPem(block);
                }

                return key;
            }
            catch (Exception exception) when (exception is CryptographicException or ArgumentException)
            {
                key.Dispose(); // another kind of key, or damaged
            }
        }

        throw label == Encrypted
            ? Wrong(
                source, "tokens.keys.password does not decrypt the key", null,
                "Set the password that the key was stored with; it is the same for all replicas.")
            : Wrong(source, "the private key is damaged, or of a type that cannot sign tokens", label, Usable);
    }

    private static ProblemException Wrong(string source, string what, string? found, string fix) =>
        new(new Problem(source, what, found, fix));
}
