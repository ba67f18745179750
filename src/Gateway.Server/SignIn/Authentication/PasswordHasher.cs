using System.Security.Cryptography;
using System.Text;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>Verifies and creates password hashes, on the caller's thread: tens of milliseconds each.</summary>
internal sealed class PasswordHasher
{
    private long _count;

    /// <summary>How many hashes were computed so far.</summary>
    public long Count => Interlocked.Read(ref _count);

    /// <summary>Whether a password is the one that was hashed.</summary>
    /// <param name="hash">The hash.</param>
    /// <param name="password">One that <see cref="PasswordRules.CanBeHashed"/>.</param>
    /// <exception cref="CryptographicException">libcrypt could not tell: out of memory.</exception>
    public bool Matches(PasswordHash hash, string password)
    {
        Span<byte> expected = stackalloc byte[Crypt.LongestHash];
        Span<byte> actual = stackalloc byte[Crypt.LongestHash];
        var expectedLength = Encoding.ASCII.GetBytes(hash.Text, expected);
        var actualLength = Compute(hash.Scheme, hash.Text, password, actual, out var isWhole);
        return CryptographicOperations.FixedTimeEquals(expected[..expectedLength], actual[..actualLength]) & isWhole;
    }

    /// <summary>Does the work of verifying a password against a hash that nobody has.</summary>
    public void Spend(WorkItem item, string password)
    {
        Span<byte> ignored = stackalloc byte[Crypt.LongestHash];
        Compute(item.Scheme, item.Setting, password, ignored, out _);
    }

    /// <summary>Hashes a new password.</summary>
    /// <param name="scheme"><see cref="HashScheme.Bcrypt"/> or <see cref="HashScheme.Yescrypt"/>.</param>
    /// <param name="cost">In the scheme's own measure.</param>
    /// <param name="password">One that <see cref="PasswordRules.Refuse"/> accepts.</param>
    public string Create(HashScheme scheme, int cost, string password)
    {
        // $2y$ and not $2b$, which is the same: Apache's tools read only the former.
        var setting = Crypt.NewSetting(scheme == HashScheme.Bcrypt ? "$2y$" : "$y$", cost);
        Span<byte> hash = stackalloc byte[Crypt.LongestHash];
        var length = Compute(scheme, setting, password, hash, out var isWhole);
        return isWhole
            ? Encoding.ASCII.GetString(hash[..length])
            : throw new ArgumentException("password too long for bcrypt");
    }

    // A password that bcrypt would cut is not hashed in part (the hash of its beginning must not match); something else
    // of the same cost is, so that the refusal takes as long as any other.
    private int Compute(HashScheme scheme, string setting, string password, Span<byte> hash, out bool isWhole)
    {
        Span<byte> bytes = stackalloc byte[Crypt.LongestPassword];
        try
        {
            var length = Encoding.UTF8.GetBytes(password, bytes);
            isWhole = scheme != HashScheme.Bcrypt || length <= PasswordRules.LongestForBcrypt;
            Interlocked.Increment(ref _count);
            return Crypt.Hash(isWhole ? bytes[..length] : "too long"u8, setting, hash);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }
}
