using System.Security.Cryptography;
using System.Text;
using Gateway.Server.SignIn.Authentication;

namespace Gateway.Tests.Server.SignIn.Authentication;

public class CryptTests
{
    [Fact]
    public void Check_InstalledLibrary_FindsNothing() => Assert.Null(Crypt.Check());

    [Fact]
    public void Check_MissingLibrary_NamesThePackage() => Assert.Equal(
        "libnosuchcrypt.so.9: the library that verifies passwords is missing. "
        + "Install libxcrypt 4: apt-get install libcrypt1, or dnf install libxcrypt.",
        Crypt.Check("libnosuchcrypt.so.9")?.ToString());

    [Fact]
    public void Check_LibraryWithoutCryptRn_SaysTooOld() => Assert.Equal(
        "libc.so.6: the library that verifies passwords is too old. "
        + "Install libxcrypt 4: apt-get install libcrypt1, or dnf install libxcrypt.",
        Crypt.Check("libc.so.6")?.ToString());

    [Fact]
    public void Hash_NulInPassword_IsRefusedRatherThanCut() =>
        Assert.Throws<ArgumentException>(
            () => Crypt.Hash("secret\0"u8, "$2y$04$gatewaygatewaygatewayO", new byte[Crypt.LongestHash]));

    [Fact]
    public void Hash_NonsenseSetting_Throws() =>
        Assert.Throws<CryptographicException>(() => Crypt.Hash("secret"u8, "$9$nothing", new byte[Crypt.LongestHash]));

    [Fact]
    public void Hash_BcryptItself_ReadsOnly72Bytes()
    {
        // Why PasswordRules.LongestForBcrypt exists.
        Assert.Equal(Hash(new string('a', 72)), Hash(new string('a', 73)));

        static string Hash(string password)
        {
            var hash = new byte[Crypt.LongestHash];
            return Encoding.ASCII.GetString(
                hash, 0, Crypt.Hash(Encoding.UTF8.GetBytes(password), "$2y$04$gatewaygatewaygatewayO", hash));
        }
    }

    [Fact]
    public void NewSetting_Twice_DiffersInSalt() =>
        Assert.NotEqual(Crypt.NewSetting("$2y$", 10), Crypt.NewSetting("$2y$", 10));

    [Fact]
    public void Hash_ManyThreads_DoNotDisturbEachOther()
    {
        var hasher = new PasswordHasher();
        Parallel.For(0, 200, i =>
        {
            Assert.True(
                PasswordHash.TryParse(hasher.Create(HashScheme.Bcrypt, 4, $"password {i}"), out var hash, out _));
            Assert.True(hasher.Matches(hash, $"password {i}"));
            Assert.False(hasher.Matches(hash, $"password {i + 1}"));
        });
    }
}
