using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Gateway.Core.Tokens;

/// <summary>
/// The secret of a personal, robot, refresh or workload token or of a browser's session: <c>rgp_</c>, <c>rgr_</c>,
/// <c>rgf_</c>, <c>rgw_</c> or <c>rgs_</c>, 32 random characters, 6 characters of checksum.
/// </summary>
/// <remarks>
/// <para>
/// All characters are of base62: <c>0-9A-Za-z</c>, in this order of value. The checksum is CRC-32 (ISO 3309, that of
/// zlib and gzip) of the 36 ASCII characters before it, as a number in base62, the highest digit first, filled with
/// <c>0</c> in front to 6 characters.
/// </para>
/// <para>
/// Secret scanners find such secrets by <see cref="ScannerPattern"/>, and the checksum tells them from look-alikes
/// without asking anybody. The 32 characters hold 190 bits, so there is nothing to guess.
/// </para>
/// </remarks>
public sealed class CredentialSecret
{
    /// <summary>The length of every secret, in characters.</summary>
    public const int Length = PrefixLength + RandomLength + ChecksumLength;

    /// <summary>A regular expression that finds secrets in other text; for secret scanners.</summary>
    public const string ScannerPattern = @"\brg[prfws]_[0-9A-Za-z]{38}\b";

    private const int PrefixLength = 4;
    private const int RandomLength = 32;
    private const int ChecksumLength = 6; // 62^6 > 2^32

    private const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    private static readonly SearchValues<char> Base62 = SearchValues.Create(Digits);

    private readonly string _text;

    private CredentialSecret(CredentialSecretKind kind, string text)
    {
        Kind = kind;
        _text = text;
    }

    /// <summary>What it is for.</summary>
    public CredentialSecretKind Kind { get; }

    /// <summary>
    /// Makes a new secret out of the system's secure random source, every character as likely as any other.
    /// </summary>
    public static CredentialSecret Create(CredentialSecretKind kind)
    {
        Span<char> text = stackalloc char[Length];
        PrefixOf(kind).CopyTo(text);
        RandomNumberGenerator.GetItems(Digits, text.Slice(PrefixLength, RandomLength));
        WriteChecksum(text[..^ChecksumLength], text[^ChecksumLength..]);
        return new CredentialSecret(kind, new string(text));
    }

    /// <summary>Reads a secret that somebody presents.</summary>
    /// <param name="text">Untrusted, of any length.</param>
    /// <param name="secret">The secret, or <see langword="null"/> for anything else.</param>
    /// <returns>
    /// <see cref="CredentialSecretReading.Mistyped"/> only where prefix, length and alphabet are right, so that other
    /// passwords stay other passwords. It never throws.
    /// </returns>
    public static CredentialSecretReading Read(string text, out CredentialSecret? secret)
    {
        secret = null;
        if (text.Length != Length
            || KindOf(text) is not { } kind
            || text.AsSpan(PrefixLength).ContainsAnyExcept(Base62))
        {
            return CredentialSecretReading.NotASecret;
        }

        Span<char> checksum = stackalloc char[ChecksumLength];
        WriteChecksum(text.AsSpan(0, Length - ChecksumLength), checksum);
        if (!text.AsSpan(Length - ChecksumLength).SequenceEqual(checksum))
        {
            return CredentialSecretReading.Mistyped;
        }

        secret = new CredentialSecret(kind, text);
        return CredentialSecretReading.Secret;
    }

    /// <summary>Reads a secret; <see langword="false"/> for mistyped ones too.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out CredentialSecret? secret) =>
        Read(text, out secret) == CredentialSecretReading.Secret && secret is not null;

    /// <summary>The secret itself: to be hashed, or to be shown to its maker, once.</summary>
    public string Reveal() => _text;

    /// <summary>Never the secret.</summary>
    public override string ToString() => "***";

    private static ReadOnlySpan<char> PrefixOf(CredentialSecretKind kind) => kind switch
    {
        CredentialSecretKind.Personal => "rgp_",
        CredentialSecretKind.Robot => "rgr_",
        CredentialSecretKind.Refresh => "rgf_",
        CredentialSecretKind.Workload => "rgw_",
        CredentialSecretKind.Session => "rgs_",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    private static CredentialSecretKind? KindOf(ReadOnlySpan<char> text) => text[..PrefixLength] switch
    {
        "rgp_" => CredentialSecretKind.Personal,
        "rgr_" => CredentialSecretKind.Robot,
        "rgf_" => CredentialSecretKind.Refresh,
        "rgw_" => CredentialSecretKind.Workload,
        "rgs_" => CredentialSecretKind.Session,
        _ => null,
    };

    private static void WriteChecksum(ReadOnlySpan<char> ascii, Span<char> checksum)
    {
        var rest = Crc32.Of(ascii);
        for (var i = checksum.Length - 1; i >= 0; i--)
        {
            (rest, var digit) = Math.DivRem(rest, (uint)Digits.Length);
            checksum[i] = Digits[(int)digit];
        }
    }
}
