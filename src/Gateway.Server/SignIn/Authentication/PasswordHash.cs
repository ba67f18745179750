using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>
/// A password's hash, read once and known to be one that libcrypt can reproduce. Prints without the hash.
/// </summary>
internal sealed class PasswordHash
{
    /// <summary>
    /// The costs of yescrypt that are accepted: 4 to 128 MiB of memory for each password being verified.
    /// </summary>
    public const int LeastYescryptCost = 3, GreatestYescryptCost = 8;

    private const int DefaultRounds = 5000, LeastRounds = 1000, GreatestRounds = 1_000_000;
    private const int LongestYescryptSalt = 86;
    private const string YescryptCosts = "789ABCDEF"; // log2 N of costs 3 to 11, as crypt_gensalt writes them

    private const string CryptAlphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const string BcryptAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    private static readonly SearchValues<char> Alphabet = SearchValues.Create(CryptAlphabet);

    private static readonly (string Prefix, string Name)[] RefusedSchemes =
    [
        ("$apr1$", "MD5 (apr1)"),
        ("$1$", "MD5 ($1$)"),
        ("$md5", "MD5 (Sun)"),
        ("{SHA}", "SHA-1"),
        ("{SSHA}", "SHA-1 (salted)"),
        ("$sha1", "SHA-1 (NetBSD)"),
        ("$2x$", "bcrypt of a faulty kind ($2x$)"), // sign-extension bug: different passwords share a hash
        ("$2$", "bcrypt of a faulty kind ($2$)"),
        ("$7$", "scrypt"),
        ("$gy$", "gost-yescrypt"),
        ("$argon2", "Argon2"),
        ("$pbkdf2", "PBKDF2"),
        ("$3$", "NT hash"),
        ("_", "DES (extended)"),
    ];

    private PasswordHash(string text, HashScheme scheme, int cost) => (Text, Scheme, Cost) = (text, scheme, cost);

    /// <summary>The hash as written in the file. Not for any output.</summary>
    public string Text { get; }

    /// <summary>The scheme.</summary>
    public HashScheme Scheme { get; }

    /// <summary>The cost in the scheme's own measure: doublings, or rounds of SHA-crypt.</summary>
    public int Cost { get; }

    /// <summary>Reads a hash.</summary>
    /// <param name="text">What follows the colon.</param>
    /// <param name="hash">The hash, whatever its cost; see <see cref="Check"/>.</param>
    /// <param name="refusal">
    /// Why it is not a usable hash: another scheme, or a text that no password could ever match.
    /// </param>
    public static bool TryParse(
        string text, [NotNullWhen(true)] out PasswordHash? hash, [NotNullWhen(false)] out HashRefusal? refusal)
    {
        hash = text switch
        {
            ['$', '2', 'a' or 'b' or 'y', '$', ..] => ParseBcrypt(text),
            ['$', 'y', '$', ..] => ParseYescrypt(text),
            ['$', '5', '$', ..] => ParseShaCrypt(text, HashScheme.Sha256Crypt, digestLength: 43),
            ['$', '6', '$', ..] => ParseShaCrypt(text, HashScheme.Sha512Crypt, digestLength: 86),
            _ => null,
        };
        refusal = hash is null ? Refuse(text) : null;
        return hash is not null;
    }

    /// <summary>Checks the hash against what the operator accepts.</summary>
    /// <returns>Why it is not accepted, or <see langword="null"/>.</returns>
    public HashRefusal? Check(HtpasswdOptions options)
    {
        var (least, greatest) = Scheme switch
        {
            HashScheme.Bcrypt => (options.MinimumCost, options.MaximumCost),
            HashScheme.Yescrypt => (LeastYescryptCost, GreatestYescryptCost),
            _ => (LeastRounds, GreatestRounds),
        };
        if (Scheme is HashScheme.Sha256Crypt or HashScheme.Sha512Crypt && !options.AllowShaCrypt)
        {
            return new HashRefusal(
                $"password hashed with {NameOf(Scheme)}, which is accepted only with allowShaCrypt",
                "{0}, or set authentication.htpasswd.allowShaCrypt: true while you migrate.");
        }

        return Cost >= least && Cost <= greatest
            ? null
            : new HashRefusal(
                string.Create(CultureInfo.InvariantCulture, $"{NameOf(Scheme)} cost outside {least} to {greatest}"),
                Found: Cost.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>The scheme as people know it.</summary>
    public static string NameOf(HashScheme scheme) => scheme switch
    {
        HashScheme.Bcrypt => "bcrypt",
        HashScheme.Yescrypt => "yescrypt",
        HashScheme.Sha256Crypt => "sha256crypt",
        _ => "sha512crypt",
    };

    /// <summary>A setting with a fixed salt, for work whose outcome nobody uses.</summary>
    public static string WorkSetting(HashScheme scheme, int cost) => scheme switch
    {
        HashScheme.Bcrypt => string.Create(CultureInfo.InvariantCulture, $"$2y${cost:00}$gatewaygatewaygatewayO"),
        HashScheme.Yescrypt => $"$y$j{YescryptCosts[cost - LeastYescryptCost]}T$gatewaygatewaygatewa/.",
        HashScheme.Sha256Crypt => string.Create(CultureInfo.InvariantCulture, $"$5$rounds={cost}$gatewaygateway$"),
        _ => string.Create(CultureInfo.InvariantCulture, $"$6$rounds={cost}$gatewaygateway$"),
    };

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{NameOf(Scheme)} cost {Cost}");

    // $2y$10$ + 22 characters of salt + 31 of digest. The last character of each carries unused bits; libcrypt writes
    // them as zero, so anything else could never match.
    private static PasswordHash? ParseBcrypt(string text)
    {
        return text.Length == 60
            && char.IsAsciiDigit(text[4]) && char.IsAsciiDigit(text[5]) && text[6] == '$'
            && !text.AsSpan(7).ContainsAnyExcept(Alphabet)
            && BcryptAlphabet.IndexOf(text[28], StringComparison.Ordinal) % 16 == 0
            && BcryptAlphabet.IndexOf(text[59], StringComparison.Ordinal) % 4 == 0
            ? new PasswordHash(text, HashScheme.Bcrypt, int.Parse(text.AsSpan(4, 2), CultureInfo.InvariantCulture))
            : null;
    }

    // $y$ + parameters + $ + salt + $ + digest. Only the parameters that crypt_gensalt writes, j75 and j85 for
    // its two cheapest costs and j7T to jFT for the rest: others may ask for any amount of memory.
    private static PasswordHash? ParseYescrypt(string text)
    {
        var parts = text.Split('$');
        if (parts is not [_, _, ['j', var n, var r], var salt, { Length: 43 } digest]
            || salt.Length is 0 or > LongestYescryptSalt
            || !IsCanonical(salt) || !IsCanonical(digest))
        {
            return null;
        }

        var cost = r switch
        {
            '5' when n is '7' or '8' => n - '7' + 1,
            'T' when YescryptCosts.Contains(n, StringComparison.Ordinal) =>
                YescryptCosts.IndexOf(n, StringComparison.Ordinal) + LeastYescryptCost,
            _ => 0,
        };
        return cost == 0 ? null : new PasswordHash(text, HashScheme.Yescrypt, cost);
    }

    // $6$ [rounds=N$] salt $ digest.
    private static PasswordHash? ParseShaCrypt(string text, HashScheme scheme, int digestLength)
    {
        const string roundsPrefix = "rounds=";
        var rest = text.AsSpan(3);
        var rounds = DefaultRounds;
        if (rest.StartsWith(roundsPrefix))
        {
            var end = rest.IndexOf('$');
            if (end < 0
                || rest[roundsPrefix.Length] == '0'
                || !int.TryParse(
                    rest[roundsPrefix.Length..end], NumberStyles.None, CultureInfo.InvariantCulture, out rounds))
            {
                return null;
            }

            rest = rest[(end + 1)..];
        }

        var saltLength = rest.IndexOf('$');
        return saltLength is >= 1 and <= 16
            && !rest[..saltLength].ContainsAnyExcept(Alphabet)
            && rest.Length == saltLength + 1 + digestLength
            && IsCanonical(rest[(saltLength + 1)..])
            ? new PasswordHash(text, scheme, rounds)
            : null;
    }

    // Six bits a character, the least significant first: what exceeds whole bytes in the last one is zero.
    private static bool IsCanonical(ReadOnlySpan<char> text)
    {
        if (text.ContainsAnyExcept(Alphabet))
        {
            return false;
        }

        return (text.Length % 4) switch
        {
            0 => true,
            2 => CryptAlphabet.IndexOf(text[^1], StringComparison.Ordinal) < 4,
            3 => CryptAlphabet.IndexOf(text[^1], StringComparison.Ordinal) < 16,
            _ => false,
        };
    }

    private static HashRefusal Refuse(string text)
    {
        if (text.Length == 0)
        {
            return new HashRefusal("no hash after the name");
        }

        if (text.Length != text.AsSpan().TrimEnd(" \t").Length)
        {
            return new HashRefusal("white space after the hash", "Remove it.");
        }

        if (text is "*0" or "*1")
        {
            return new HashRefusal(
                "not a hash, but crypt's mark that hashing failed (htpasswd -5 -r 999 writes it and reports no error)",
                Found: text);
        }

        foreach (var (prefix, name) in RefusedSchemes)
        {
            if (text.StartsWith(prefix, StringComparison.Ordinal))
            {
                return new HashRefusal($"password hashed with {name}, which is not accepted");
            }
        }

        var scheme = text switch
        {
            ['$', '2', ..] => "bcrypt",
            ['$', 'y', '$', ..] => "yescrypt",
            ['$', '5', '$', ..] => NameOf(HashScheme.Sha256Crypt),
            ['$', '6', '$', ..] => NameOf(HashScheme.Sha512Crypt),
            _ => null,
        };
        return scheme is not null
            ? new HashRefusal($"malformed {scheme} hash (wrong length, alphabet or parameters)")
            : new HashRefusal(text switch
            {
                ['$', ..] or ['{', ..] => "password hashed with an unknown scheme",
                { Length: 13 } when !text.AsSpan().ContainsAnyExcept(Alphabet) =>
                    "password hashed with DES, or in plain text; neither is accepted",
                _ => "password in plain text, which is not accepted",
            });
    }
}

/// <summary>Why a hash is not accepted. Never holds the hash.</summary>
/// <param name="What">What is wrong, naming the scheme.</param>
/// <param name="Fix">
/// The change that helps, where it is not to set the password again; <c>{0}</c> is replaced by how to do just that.
/// </param>
/// <param name="Found">The value found, where it is not a secret.</param>
internal sealed record HashRefusal(string What, string Fix = "{0}.", string? Found = null);
