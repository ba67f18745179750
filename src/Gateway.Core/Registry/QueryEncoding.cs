using System.Buffers;
using System.Text;

namespace Gateway.Core.Registry;

/// <summary>Percent-encoding in queries as Go's <c>net/url</c> does it, which the registry uses.</summary>
internal static class QueryEncoding
{
    private static readonly SearchValues<char> Escapes = SearchValues.Create("%+");

    /// <summary>Decodes once; a byte becomes a character, so the grammars see and refuse what is not ASCII.</summary>
    /// <param name="raw">Visible ASCII, as the query has it.</param>
    /// <param name="text">The decoded text; where escapes are broken, they are kept unchanged.</param>
    /// <returns><see langword="false"/> where an escape is broken. Go drops such a pair, others keep it.</returns>
    public static bool TryDecode(ReadOnlySpan<char> raw, out ReadOnlySpan<char> text)
    {
        if (!raw.ContainsAny(Escapes))
        {
            text = raw;
            return true;
        }

        var decoded = new char[raw.Length];
        var length = 0;
        var valid = true;
        for (var i = 0; i < raw.Length; i++)
        {
            var c = raw[i];
            if (c == '+')
            {
                c = ' ';
            }
            else if (c == '%')
            {
                if (i + 2 < raw.Length && char.IsAsciiHexDigit(raw[i + 1]) && char.IsAsciiHexDigit(raw[i + 2]))
                {
                    c = (char)((HexValue(raw[i + 1]) << 4) | HexValue(raw[i + 2]));
                    i += 2;
                }
                else
                {
                    valid = false;
                }
            }

            decoded[length++] = c;
        }

        text = decoded.AsSpan(0, length);
        return valid;
    }

    /// <summary>Appends ASCII text, all but RFC 3986's unreserved characters escaped.</summary>
    /// <remarks>
    /// Every reader gets it back; and <see cref="Uri"/>, which undoes other escapes, leaves it alone.
    /// </remarks>
    public static void Append(StringBuilder target, ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or '~')
            {
                target.Append(c);
            }
            else
            {
                target.Append('%').Append("0123456789ABCDEF"[c >> 4]).Append("0123456789ABCDEF"[c & 15]);
            }
        }
    }

    private static int HexValue(char digit) => char.IsAsciiDigit(digit) ? digit - '0' : (digit | 0x20) - 'a' + 10;
}
