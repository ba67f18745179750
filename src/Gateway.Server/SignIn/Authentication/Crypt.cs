using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>
/// The system's libcrypt (libxcrypt 4): a well-maintained native library rather than a Blowfish of our own.
/// </summary>
/// <remarks>
/// Every call has its own work area, so calls may run side by side; it is wiped before it is freed.
/// </remarks>
internal static unsafe partial class Crypt
{
    /// <summary>The longest password libcrypt accepts, in bytes; bcrypt reads only the first 72 of them.</summary>
    public const int LongestPassword = 511;

    /// <summary>The longest hash, in bytes.</summary>
    public const int LongestHash = 384;

    private const string Library = "libcrypt.so.1";
    private const int WorkAreaSize = 32768; // sizeof(struct crypt_data), part of the library's ABI
    private const int SaltSize = 16;

    /// <summary>Hashes a password with the parameters of a setting or an earlier hash.</summary>
    /// <param name="password">UTF-8 without NUL, at most <see cref="LongestPassword"/> bytes.</param>
    /// <param name="setting">Scheme, cost and salt: <c>$2y$10$…</c>; what follows the salt is ignored.</param>
    /// <param name="hash">Receives the hash, ASCII; <see cref="LongestHash"/> bytes.</param>
    /// <returns>The hash's length.</returns>
    /// <exception cref="CryptographicException">libcrypt refused the setting, or is out of memory.</exception>
    public static int Hash(ReadOnlySpan<byte> password, ReadOnlySpan<char> setting, Span<byte> hash)
    {
        // C would end the password at a NUL, and every password with the same beginning would match.
        if (password.Length > LongestPassword || password.Contains((byte)0) || setting.Length >= LongestHash)
        {
            throw new ArgumentException("password or setting that libcrypt cannot take");
        }

        const int size = WorkAreaSize + LongestPassword + 1 + LongestHash;
        var area = (byte*)NativeMemory.AllocZeroed(size);
        try
        {
            var phraseAt = area + WorkAreaSize;
            var settingAt = phraseAt + LongestPassword + 1;
            password.CopyTo(new Span<byte>(phraseAt, LongestPassword));
            Encoding.ASCII.GetBytes(setting, new Span<byte>(settingAt, LongestHash - 1));
            var result = HashNative(phraseAt, settingAt, area, WorkAreaSize);
            if (result is null)
            {
                throw LastError();
            }

            var text = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(result);
            text.CopyTo(hash);
            return text.Length;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(new Span<byte>(area, size));
            NativeMemory.Free(area);
        }
    }

    /// <summary>Makes a setting with a new random salt.</summary>
    /// <param name="prefix">The scheme: <c>$2y$</c> or <c>$y$</c>.</param>
    /// <param name="cost">The cost, in the scheme's own measure.</param>
    /// <exception cref="CryptographicException">libcrypt knows no such scheme or cost.</exception>
    public static string NewSetting(string prefix, int cost)
    {
        Span<byte> prefixBytes = stackalloc byte[16];
        prefixBytes.Clear();
        Encoding.ASCII.GetBytes(prefix, prefixBytes[..15]);
        Span<byte> salt = stackalloc byte[SaltSize];
        RandomNumberGenerator.Fill(salt);
        Span<byte> setting = stackalloc byte[LongestHash];
        fixed (byte* prefixAt = prefixBytes, saltAt = salt, settingAt = setting)
        {
            var result = NewSettingNative(
                prefixAt, new CULong((uint)cost), saltAt, salt.Length, settingAt, setting.Length);
            return result is null
                ? throw LastError()
                : Encoding.ASCII.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(result));
        }
    }

    /// <summary>
    /// Whether the library is present and hashes correctly; without it the gateway would refuse every password.
    /// </summary>
    /// <param name="library">Another name, for tests.</param>
    /// <returns>What is wrong, or <see langword="null"/>.</returns>
    public static Problem? Check(string library = Library)
    {
        const string fix = "Install libxcrypt 4: apt-get install libcrypt1, or dnf install libxcrypt.";
        if (!NativeLibrary.TryLoad(library, out var handle))
        {
            return new Problem(library, "the library that verifies passwords is missing", null, fix);
        }

        if (!NativeLibrary.TryGetExport(handle, "crypt_rn", out _)
            || !NativeLibrary.TryGetExport(handle, "crypt_gensalt_rn", out _))
        {
            return new Problem(library, "the library that verifies passwords is too old", null, fix);
        }

        // A library built without a scheme, or in a mode that forbids one, shows only when it is used.
        Span<byte> hash = stackalloc byte[LongestHash];
        foreach (var known in KnownHashes)
        {
            try
            {
                var length = Hash("gateway"u8, known, hash);
                if (Encoding.ASCII.GetString(hash[..length]) == known)
                {
                    continue;
                }
            }
            catch (CryptographicException)
            {
                // reported below
            }

            return new Problem(
                library, "the library that verifies passwords does not support bcrypt and yescrypt", null, fix);
        }

        return null;
    }

    // The password "gateway", hashed by other programs (htpasswd of Apache 2.4, mkpasswd of whois 5.5).
    private static readonly string[] KnownHashes =
    [
        "$2y$04$JVZo0SjMIkIr4aperbvjSeGfM8NCbnqEIQTXPpLqYQwWM8fRPquHe",
        "$y$j75$HbYJABc6j3d/Z6fa7OUQQ/$vq7xRRI6jN65vm8eG6HDNfg4HTUfVH5OippASsFPdC0",
    ];

    private static CryptographicException LastError() =>
        new("libcrypt: " + Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError()));

    [LibraryImport(Library, EntryPoint = "crypt_rn", SetLastError = true)]
    private static partial byte* HashNative(byte* phrase, byte* setting, void* data, int size);

    [LibraryImport(Library, EntryPoint = "crypt_gensalt_rn", SetLastError = true)]
    private static partial byte* NewSettingNative(
        byte* prefix, CULong count, byte* random, int randomSize, byte* output, int outputSize);
}
