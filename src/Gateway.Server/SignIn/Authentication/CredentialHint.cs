using System.Text;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>
/// What is probably wrong with credentials that were refused, for the person at the client: the usual accidents of
/// copying and of scripts. It looks only at what was sent, so it says the same whether or not the user exists.
/// </summary>
internal static class CredentialHint
{
    private const char ByteOrderMark = '\uFEFF';

    /// <summary>Finds the accident.</summary>
    /// <returns>
    /// It, as half a sentence; <see langword="null"/> where there is none. Never a part of what was sent.
    /// </returns>
    public static string? For(PresentedCredentials credentials) => credentials.Kind switch
    {
        PresentedCredentialsKind.Password =>
            OfName(credentials.Password.UserName) ?? OfPassword(credentials.Password.Password),
        PresentedCredentialsKind.Bearer => OfSecret("the token", credentials.Token),
        _ => null,
    };

    private static string? OfName(string name) =>
        name.StartsWith(ByteOrderMark) ? "the user name begins with a byte order mark, which some editors add"
        : name != name.Trim() ? "the user name begins or ends with white space"
        : null;

    private static string? OfPassword(string password) =>
        password.Length == 0 ? "the password is empty; in a script, check that its variable is set"
        : OfSecret("the password", password)
            ?? (Encoding.UTF8.GetByteCount(password) > PasswordRules.LongestForBcrypt
                ? $"the password has more than {PasswordRules.LongestForBcrypt} bytes, the most that bcrypt can hash"
                : null);

    private static string? OfSecret(string what, string secret) =>
        secret.StartsWith(ByteOrderMark) ? $"{what} begins with a byte order mark, which some editors add"
        : secret.EndsWith('\n') || secret.EndsWith('\r')
            ? $"{what} ends in a line break, which a file or \"echo\" adds; send it without (printf %s)"
        : secret.Any(char.IsControl) ? $"{what} holds a control character (a tab, a NUL or a line break inside)"
        : secret != secret.Trim() ? $"{what} begins or ends with white space"
        : secret is ['"', .., '"'] or ['\'', .., '\''] ? $"{what} is in quotes, which count as part of it"
        : null;
}
