using System.Text;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>What a password must be so that its hash covers all of it.</summary>
internal static class PasswordRules
{
    /// <summary>bcrypt reads no further, so that all longer passwords with one beginning would be the same.</summary>
    public const int LongestForBcrypt = 72;

    /// <summary>What new passwords are hashed with by default: bcrypt's cost, and yescrypt's.</summary>
    public const int TodaysBcryptCost = 10, TodaysYescryptCost = 5;

    /// <summary>Whether any scheme could hash the password: not empty, no NUL, not above libcrypt's limit.</summary>
    public static bool CanBeHashed(string password) =>
        password.Length is > 0 and <= Crypt.LongestPassword
        && !password.Contains('\0', StringComparison.Ordinal)
        && Encoding.UTF8.GetByteCount(password) <= Crypt.LongestPassword;

    /// <summary>Judges a new password.</summary>
    /// <returns>What is wrong with it and what to do, or <see langword="null"/>.</returns>
    public static (string What, string Fix)? Refuse(string password, HashScheme scheme)
    {
        if (string.IsNullOrWhiteSpace(password))
        {
            return ("the password is empty", "Choose one that others cannot guess.");
        }

        // BasicCredentials refuses them too: a user with such a password could never sign in.
        if (password.Any(char.IsControl))
        {
            return ("the password holds a control character or a line break", "Leave it out.");
        }

        var length = Encoding.UTF8.GetByteCount(password);
        if (scheme == HashScheme.Bcrypt && length > LongestForBcrypt)
        {
            return (
                $"the password has {length} bytes, and bcrypt reads only {LongestForBcrypt}",
                "Choose a shorter one, or --scheme yescrypt.");
        }

        return length > Crypt.LongestPassword
            ? ($"the password has {length} bytes, and at most {Crypt.LongestPassword} can be hashed",
                "Choose a shorter one.")
            : null;
    }
}
