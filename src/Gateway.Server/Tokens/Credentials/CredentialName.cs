using System.Globalization;
using System.Text;

namespace Gateway.Server.Tokens.Credentials;

/// <summary>What people call a token: <c>laptop</c>. It reaches terminals and pages, so it is printable text.</summary>
internal static class CredentialName
{
    /// <summary>What a name may look like, for messages.</summary>
    public const string Rule = "A name is 1 to 64 printable characters, and neither begins nor ends with a space.";

    private const int MaxLength = 64;

    /// <summary>Whether a text is a name.</summary>
    public static bool IsValid(string text)
    {
        var length = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            if (++length > MaxLength || !IsPrintable(rune))
            {
                return false;
            }
        }

        return length > 0 && text[0] != ' ' && text[^1] != ' ';
    }

    // Format characters turn the direction of what follows them; other spaces look like the one but are not it.
    private static bool IsPrintable(Rune rune) => rune == new Rune(' ')
        || (rune != Rune.ReplacementChar && Rune.GetUnicodeCategory(rune) is not (
            UnicodeCategory.Control
            or UnicodeCategory.Format
            or UnicodeCategory.Surrogate
            or UnicodeCategory.PrivateUse
            or UnicodeCategory.OtherNotAssigned
            or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator
            or UnicodeCategory.SpaceSeparator));
}
