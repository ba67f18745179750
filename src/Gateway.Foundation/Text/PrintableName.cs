using System.Globalization;
using System.Text;
using Gateway.Core.Tokens;

namespace Gateway.Foundation.Text;

/// <summary>A user name that anybody may have sent, made safe for logs and records.</summary>
internal static class PrintableName
{
    private const int Longest = 64;

    /// <summary>
    /// Makes a name printable: anybody can send any name, and it must neither forge a line nor flood the log.
    /// </summary>
    public static string Of(string name)
    {
        // "curl -u TOKEN:" puts the secret where the name belongs.
        if (CredentialSecret.Read(name, out _) != CredentialSecretReading.NotASecret)
        {
            return "***";
        }

        var text = new StringBuilder();
        foreach (var character in name.AsSpan(0, Math.Min(name.Length, Longest)))
        {
            if (character is >= ' ' and <= '~' and not ('\\' or '"'))
            {
                text.Append(character);
            }
            else
            {
                text.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:X4}");
            }
        }

        return text.Append(name.Length > Longest ? "…" : "").ToString();
    }
}
