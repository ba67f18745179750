using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Gateway.Core.Tokens;

/// <summary>
/// The code that a person compares or types (RFC 8628, section 6.1): 11 random letters and a check letter, in groups of
/// four.
/// </summary>
/// <remarks>
/// 47 bits: no one holds enough codes at a time for one of them to be that of another's device. The check letter (Luhn,
/// modulo 20) tells a mistyped one.
/// </remarks>
public static class UserCode
{
    private const string Letters = "BCDFGHJKLMNPQRSTVWXZ"; // no vowels: no words, and no O that is a zero
    private const int Length = 12;

    /// <summary>A new one: <c>WDJB-MJHT-KPQC</c>.</summary>
    public static string Create()
    {
        var code = RandomNumberGenerator.GetString(Letters, Length - 1);
        return Format(code + Letters[Check(code)]);
    }

    /// <summary>Reads what somebody typed: any case, with hyphens or blanks or without.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out string? code)
    {
        code = null;
        if (text.Length > 32)
        {
            return false;
        }

        var plain = string.Concat(text.Where(static c => c is not ('-' or ' '))).ToUpperInvariant();
        if (plain.Length != Length || plain.Any(static c => !Letters.Contains(c))
            || Letters[Check(plain[..^1])] != plain[^1])
        {
            return false;
        }

        code = Format(plain);
        return true;
    }

    private static string Format(string code) => $"{code[..4]}-{code[4..8]}-{code[8..]}";

    private static int Check(string code)
    {
        var (sum, factor) = (0, 2);
        for (var i = code.Length - 1; i >= 0; i--)
        {
            var product = factor * Letters.IndexOf(code[i], StringComparison.Ordinal);
            sum += (product / Letters.Length) + (product % Letters.Length);
            factor = 3 - factor;
        }

        return (Letters.Length - (sum % Letters.Length)) % Letters.Length;
    }
}
