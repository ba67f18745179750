using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>A user name and password as presented by a client. Prints as <c>***</c>.</summary>
internal readonly record struct BasicCredentials(string UserName, string Password)
{
    private static readonly SearchValues<char> Base64 =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");

    /// <summary>Reads what follows <c>Basic</c> in an <c>Authorization</c> header.</summary>
    /// <param name="text">Untrusted; the caller has limited its length.</param>
    /// <param name="credentials">User name and password, either of which may be empty.</param>
    /// <param name="fault">What is wrong.</param>
    /// <returns>
    /// <see langword="false"/> for anything but base64 of UTF-8 with a colon and without control characters.
    /// </returns>
    /// <remarks>RFC 7617, section 2. Nothing is repaired: two readings of one header would be two identities.</remarks>
    public static bool TryParse(
        ReadOnlySpan<char> text, out BasicCredentials credentials, [NotNullWhen(false)] out CredentialFault? fault)
    {
        credentials = default;
        var buffer = ArrayPool<byte>.Shared.Rent(text.Length + 1);
        var length = 0;
        try
        {
            // The alphabet is checked here since the decoder skips white space.
            var padding = text.EndsWith("==") ? 2 : text.EndsWith("=") ? 1 : 0;
            if (text.Length % 4 != 0
                || text[..^padding].ContainsAnyExcept(Base64)
                || !Convert.TryFromBase64Chars(text, buffer, out length))
            {
                fault = CredentialFault.NotBase64;
                return false;
            }

            ReadOnlySpan<byte> bytes = buffer.AsSpan(0, length);
            if (!Utf8.IsValid(bytes))
            {
                fault = CredentialFault.NotUtf8;
                return false;
            }

            var colon = bytes.IndexOf((byte)':');
            if (colon < 0)
            {
                fault = CredentialFault.NoColon;
                return false;
            }

            var userName = Encoding.UTF8.GetString(bytes[..colon]);
            var password = Encoding.UTF8.GetString(bytes[(colon + 1)..]);
            if (HoldsControl(userName) || HoldsControl(password))
            {
                fault = FaultOf(userName, password);
                return false;
            }

            credentials = new BasicCredentials(userName, password);
            fault = null;
            return true;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(buffer.AsSpan(0, length));
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <inheritdoc/>
    public override string ToString() => "***";

    // Only a line break at the very end has a usual cause.
    private static CredentialFault FaultOf(string userName, string password) =>
        !HoldsControl(userName) && !HoldsControl(password.TrimEnd('\r', '\n')) ? CredentialFault.LineBreak
        : !HoldsControl(password) && !HoldsControl(userName.TrimEnd('\r', '\n')) ? CredentialFault.NameLineBreak
        : CredentialFault.Control;

    private static bool HoldsControl(string text)
    {
        foreach (var character in text)
        {
            if (char.IsControl(character))
            {
                return true;
            }
        }

        return false;
    }
}
