using System.Globalization;
using System.Text;

namespace Gateway.Server.SignIn.Ldap;

/// <summary>The one place where typed text becomes part of a filter or a distinguished name.</summary>
internal static class LdapText
{
    /// <summary>A value in a filter (RFC 4515, section 3): whatever could end it is written as its number.</summary>
    public static string InFilter(string value)
    {
        var text = new StringBuilder(value.Length + 8);
        foreach (var octet in Encoding.UTF8.GetBytes(value))
        {
            // More than the specification asks for: nothing but letters, digits and what names are made of stays as it
            // is.
            if (octet is (>= (byte)'0' and <= (byte)'9') or (>= (byte)'A' and <= (byte)'Z')
                or (>= (byte)'a' and <= (byte)'z')
                or (byte)'-' or (byte)'_' or (byte)'.' or (byte)'@')
            {
                text.Append((char)octet);
            }
            else
            {
                text.Append(CultureInfo.InvariantCulture, $"\\{octet:x2}");
            }
        }

        return text.ToString();
    }

    /// <summary>A value in a distinguished name (RFC 4514, section 2.4).</summary>
    public static string InName(string value)
    {
        var text = new StringBuilder(value.Length + 8);
        foreach (var octet in Encoding.UTF8.GetBytes(value))
        {
            if (octet is (>= (byte)'0' and <= (byte)'9') or (>= (byte)'A' and <= (byte)'Z')
                or (>= (byte)'a' and <= (byte)'z')
                or (byte)'-' or (byte)'_' or (byte)'.' or (byte)'@')
            {
                text.Append((char)octet);
            }
            else
            {
                text.Append(CultureInfo.InvariantCulture, $"\\{octet:X2}"); // a pair of digits can be any octet
            }
        }

        return text.ToString();
    }

    /// <summary>The value of a distinguished name's first part: <c>admins</c> of <c>cn=admins,ou=groups</c>.</summary>
    /// <returns><see langword="null"/> where the part has another attribute, or several.</returns>
    public static string? FirstValue(string name, string attribute)
    {
        var equals = name.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0 || !name.AsSpan(0, equals).Trim().Equals(attribute, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var octets = new List<byte>();
        for (var i = equals + 1; i < name.Length; i++)
        {
            var character = name[i];
            if (character == ',')
            {
                break;
            }

            if (character == '+')
            {
                return null;
            }

            if (character != '\\')
            {
                octets.AddRange(Encoding.UTF8.GetBytes(name.Substring(i, char.IsHighSurrogate(character) ? 2 : 1)));
                i += char.IsHighSurrogate(character) ? 1 : 0;
            }
            else if (i + 2 < name.Length && byte.TryParse(
                name.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var octet))
            {
                octets.Add(octet);
                i += 2;
            }
            else if (++i < name.Length)
            {
                octets.Add((byte)name[i]); // one of the special characters, all of which are ASCII
            }
        }

        return Encoding.UTF8.GetString([.. octets]);
    }
}
