using System.Text;
using System.Text.Unicode;

namespace Gateway.Server.Tokens.Service;

/// <summary>
/// The parameters of a query or form, <c>application/x-www-form-urlencoded</c>, as they are: nothing merged, nothing
/// repaired. ASP.NET's own readers ignore the case of names and join repeats by commas.
/// </summary>
internal sealed class UrlEncodedParameters
{
    /// <summary>The most pairs read; clients send fewer than ten, and one for each repository.</summary>
    public const int MaxPairs = 1024;

    private readonly List<(string? Name, string? Value)> _pairs = [];

    private UrlEncodedParameters()
    {
    }

    /// <summary>Reads the pairs; <see langword="null"/> where there are too many.</summary>
    /// <param name="text">Untrusted; its length is limited.</param>
    public static UrlEncodedParameters? Read(ReadOnlySpan<byte> text)
    {
        var parameters = new UrlEncodedParameters();
        foreach (var range in text.Split((byte)'&'))
        {
            var pair = text[range];
            if (pair.IsEmpty)
            {
                continue;
            }

            if (parameters._pairs.Count == MaxPairs)
            {
                return null;
            }

            var equals = pair.IndexOf((byte)'=');
            parameters._pairs.Add(
                equals < 0 ? (Decode(pair), "") : (Decode(pair[..equals]), Decode(pair[(equals + 1)..])));
        }

        return parameters;
    }

    /// <summary>The readable values of a parameter, in order. Names compare with case.</summary>
    public IEnumerable<string> All(string name) =>
        _pairs.Where(pair => pair.Name == name && pair.Value is not null).Select(static pair => pair.Value!);

    /// <summary>The one value of a parameter.</summary>
    /// <param name="name">The parameter.</param>
    /// <param name="value">The value; <see langword="null"/> where it is absent.</param>
    /// <returns>
    /// <see langword="false"/> where it is repeated, or its value is not UTF-8 or has a broken escape.
    /// </returns>
    public bool TryGetSingle(string name, out string? value)
    {
        value = null;
        var found = false;
        foreach (var pair in _pairs)
        {
            if (pair.Name != name)
            {
                continue;
            }

            if (found || pair.Value is null)
            {
                value = null;
                return false;
            }

            (found, value) = (true, pair.Value);
        }

        return true;
    }

    /// <summary>Nothing of it: it may hold a password.</summary>
    public override string ToString() => "***";

    private static string? Decode(ReadOnlySpan<byte> text)
    {
        var decoded = new byte[text.Length];
        var length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var value = text[i];
            if (value == '+')
            {
                value = (byte)' ';
            }
            else if (value == '%')
            {
                if (i + 2 >= text.Length || !char.IsAsciiHexDigit((char)text[i + 1])
                    || !char.IsAsciiHexDigit((char)text[i + 2]))
                {
                    return null;
                }

                value = (byte)((HexValue(text[i + 1]) << 4) | HexValue(text[i + 2]));
                i += 2;
            }

            decoded[length++] = value;
        }

        var utf8 = decoded.AsSpan(0, length);
        return Utf8.IsValid(utf8) ? Encoding.UTF8.GetString(utf8) : null;
    }

    private static int HexValue(byte digit) => char.IsAsciiDigit((char)digit) ? digit - '0' : (digit | 0x20) - 'a' + 10;
}
