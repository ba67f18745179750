using Gateway.Server.SignIn.Authentication;

namespace Gateway.Tests.Server.SignIn.Authentication;

public class PasswordHashTests
{
    private const string Bcrypt = "$2y$04$JVZo0SjMIkIr4aperbvjSeGfM8NCbnqEIQTXPpLqYQwWM8fRPquHe"; // "gateway"
    // "gateway"
    private const string Yescrypt = "$y$j75$HbYJABc6j3d/Z6fa7OUQQ/$vq7xRRI6jN65vm8eG6HDNfg4HTUfVH5OippASsFPdC0";

    /// <summary>
    /// Other programs' hashes: what they call right, the gateway does, and what they call wrong, too.
    /// </summary>
    [Theory]
    [InlineData("htpasswd", "-nbB -C 5 x", "")]
    [InlineData("mkpasswd", "-m bcrypt -R 5", "")]
    [InlineData("mkpasswd", "-m bcrypt-a -R 5", "")]
    [InlineData("mkpasswd", "-m yescrypt", "")]
    [InlineData("mkpasswd", "-m sha-256", "")]
    [InlineData("mkpasswd", "-m sha-512 -R 70000", "")]
    [InlineData("openssl", "passwd -5", "")]
    [InlineData("openssl", "passwd -6 -salt a", "")]
    public void Matches_HashOfAnotherProgram_AgreesWithIt(string program, string arguments, string input)
    {
        foreach (var password in (string[])["Tr0ub4dor&3", "pässwörd 🔑", new string('x', 72)])
        {
            var result = Tool.Run(program, input, [.. arguments.Split(' '), password]);
            var line = result.Output.Trim();
            var text = line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..];
            Assert.True(
                PasswordHash.TryParse(text, out var hash, out var refusal), $"{program}: {refusal} {result.Error}");
            Assert.True(new PasswordHasher().Matches(hash, password), text);
            Assert.False(new PasswordHasher().Matches(hash, password[..^1] + "_"), text);
        }
    }

    [Theory]
    [InlineData(nameof(HashScheme.Bcrypt), 5)]
    [InlineData(nameof(HashScheme.Yescrypt), 3)]
    public void Create_AnyScheme_IsReadBackWithItsCost(string schemeName, int cost)
    {
        var scheme = Enum.Parse<HashScheme>(schemeName);
        Assert.True(PasswordHash.TryParse(new PasswordHasher().Create(scheme, cost, "secret"), out var hash, out _));
        Assert.Equal((scheme, cost), (hash.Scheme, hash.Cost));
    }

    [Theory]
    [InlineData(3, "j7T")]
    [InlineData(4, "j8T")]
    [InlineData(5, "j9T")]
    [InlineData(8, "jCT")]
    public void WorkSetting_Yescrypt_AsksForWhatLibcryptWould(int cost, string parameters)
    {
        Assert.StartsWith(
            $"$y${parameters}$", PasswordHash.WorkSetting(HashScheme.Yescrypt, cost), StringComparison.Ordinal);
        Assert.StartsWith($"$y${parameters}$", Crypt.NewSetting("$y$", cost), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(nameof(HashScheme.Bcrypt), 4)]
    [InlineData(nameof(HashScheme.Yescrypt), 3)]
    [InlineData(nameof(HashScheme.Sha256Crypt), 1000)]
    [InlineData(nameof(HashScheme.Sha512Crypt), 1000)]
    public void WorkSetting_AnyScheme_IsOneThatLibcryptTakes(string schemeName, int cost)
    {
        var scheme = Enum.Parse<HashScheme>(schemeName);
        var hash = new byte[Crypt.LongestHash];
        var length = Crypt.Hash("secret"u8, PasswordHash.WorkSetting(scheme, cost), hash);
        Assert.True(
            PasswordHash.TryParse(System.Text.Encoding.ASCII.GetString(hash, 0, length), out var parsed, out _));
        Assert.Equal((scheme, cost), (parsed.Scheme, parsed.Cost));
    }

    [Theory]
    [InlineData("secret", "password in plain text, which is not accepted")]
    [InlineData("rl.3StKT.4T8M", "password hashed with DES, or in plain text; neither is accepted")]
    [InlineData("_J9..CCCCXBrApvRw3jA", "password hashed with DES (extended), which is not accepted")]
    [InlineData("$apr1$aaaaaaaa$QONaFUFWK4sl8MZ3kFYiG.", "password hashed with MD5 (apr1), which is not accepted")]
    [InlineData("$1$aaaaaaaa$1jFkQzqX1OZ8dbvF0HKJS1", "password hashed with MD5 ($1$), which is not accepted")]
    [InlineData("{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "password hashed with SHA-1, which is not accepted")]
    [InlineData("{SSHA}xyz", "password hashed with SHA-1 (salted), which is not accepted")]
    [InlineData("{CRYPT}xyz", "password hashed with an unknown scheme")]
    [InlineData("$argon2id$v=19$m=65536,t=2,p=1$x$y", "password hashed with Argon2, which is not accepted")]
    [InlineData("$7$CU..../....x$y", "password hashed with scrypt, which is not accepted")]
    [InlineData(
        "$2x$04$JVZo0SjMIkIr4aperbvjSeGfM8NCbnqEIQTXPpLqYQwWM8fRPquHe",
        "password hashed with bcrypt of a faulty kind ($2x$), which is not accepted")]
    [InlineData(
        "$2$04$JVZo0SjMIkIr4aperbvjSeGfM8NCbnqEIQTXPpLqYQwWM8fRPquHe",
        "password hashed with bcrypt of a faulty kind ($2$), which is not accepted")]
    [InlineData("", "no hash after the name")]
    [InlineData(Bcrypt + " ", "white space after the hash")]
    [InlineData(Bcrypt + "a", "malformed bcrypt hash (wrong length, alphabet or parameters)")]
    [InlineData(Bcrypt + ":comment", "malformed bcrypt hash (wrong length, alphabet or parameters)")]
    [InlineData(
        "$2y$04$JVZo0SjMIkIr4aperbvjSeGfM8NCbnqEIQTXPpLqYQwWM8fRPquH",
        "malformed bcrypt hash (wrong length, alphabet or parameters)")]
    [InlineData(
        "$2y$4$$JVZo0SjMIkIr4aperbvjSeGfM8NCbnqEIQTXPpLqYQwWM8fRPquHe",
        "malformed bcrypt hash (wrong length, alphabet or parameters)")]
    // unused bits of the salt
    [InlineData(
        "$2y$04$JVZo0SjMIkIr4aperbvjSfGfM8NCbnqEIQTXPpLqYQwWM8fRPquHe",
        "malformed bcrypt hash (wrong length, alphabet or parameters)")]
    // unused bits of the digest
    [InlineData(
        "$2y$04$JVZo0SjMIkIr4aperbvjSeGfM8NCbnqEIQTXPpLqYQwWM8fRPquHf",
        "malformed bcrypt hash (wrong length, alphabet or parameters)")]
    [InlineData(
        "$2y$04$JVZo0SjMIkIr4aperbvjSeGfM8NCbnqEIQTXPpLqYQwWM8fRPqu_e",
        "malformed bcrypt hash (wrong length, alphabet or parameters)")]
    [InlineData(
        "$y$jG5$HbYJABc6j3d/Z6fa7OUQQ/$vq7xRRI6jN65vm8eG6HDNfg4HTUfVH5OippASsFPdC0",
        "malformed yescrypt hash (wrong length, alphabet or parameters)")]
    // terabytes
    [InlineData(
        "$y$jzT$HbYJABc6j3d/Z6fa7OUQQ/$vq7xRRI6jN65vm8eG6HDNfg4HTUfVH5OippASsFPdC0",
        "malformed yescrypt hash (wrong length, alphabet or parameters)")]
    [InlineData(
        "$y$j75$HbYJABc6j3d/Z6fa7OUQQz$vq7xRRI6jN65vm8eG6HDNfg4HTUfVH5OippASsFPdC0",
        "malformed yescrypt hash (wrong length, alphabet or parameters)")]
    [InlineData(
        "$y$j75$$vq7xRRI6jN65vm8eG6HDNfg4HTUfVH5OippASsFPdC0",
        "malformed yescrypt hash (wrong length, alphabet or parameters)")]
    [InlineData("$5$saltsalt$tooshort", "malformed sha256crypt hash (wrong length, alphabet or parameters)")]
    [InlineData(
        "$5$rounds=$s$azOwbpkvuuBKkE82dQPwTsQE8JyT9Fflpr9aKid3aT9",
        "malformed sha256crypt hash (wrong length, alphabet or parameters)")]
    [InlineData(
        "$5$rounds=05000$s$azOwbpkvuuBKkE82dQPwTsQE8JyT9Fflpr9aKid3aT9",
        "malformed sha256crypt hash (wrong length, alphabet or parameters)")]
    [InlineData(
        "$6$12345678901234567$uS8ebqSHbt1SxeJHmjJJ8XiNODU1MHXmq8vuR.PTjWjqzI2O0O5Fqib4lhr5K8OJ/hMYgFNUo1BLK3I7X/8yn/",
        "malformed sha512crypt hash (wrong length, alphabet or parameters)")]
    public void TryParse_OtherText_NamesTheSchemeAndNotTheHash(string text, string what)
    {
        Assert.False(PasswordHash.TryParse(text, out _, out var refusal));
        Assert.Equal(what, refusal.What);
        Assert.Null(refusal.Found);
    }

    [Theory]
    [InlineData("*0")]
    [InlineData("*1")]
    public void TryParse_MarkOfAFailedHash_IsShownForWhatItIs(string text)
    {
        Assert.False(PasswordHash.TryParse(text, out _, out var refusal));
        Assert.Equal(
            "not a hash, but crypt's mark that hashing failed (htpasswd -5 -r 999 writes it and reports no error)",
            refusal.What);
        Assert.Equal(text, refusal.Found);
    }

    [Fact]
    public void ToString_AnyHash_ShowsNoHash()
    {
        Assert.True(PasswordHash.TryParse(Bcrypt, out var hash, out _));
        Assert.Equal("bcrypt cost 4", hash.ToString());
    }

    [Theory]
    [InlineData(Bcrypt, "bcrypt cost outside 8 to 14", "4")]
    [InlineData("$2b$15$JVZo0SjMIkIr4aperbvjSeGfM8NCbnqEIQTXPpLqYQwWM8fRPquHe", "bcrypt cost outside 8 to 14", "15")]
    [InlineData("$2b$99$JVZo0SjMIkIr4aperbvjSeGfM8NCbnqEIQTXPpLqYQwWM8fRPquHe", "bcrypt cost outside 8 to 14", "99")]
    [InlineData(Yescrypt, "yescrypt cost outside 3 to 8", "1")]
    [InlineData(
        "$y$jDT$HbYJABc6j3d/Z6fa7OUQQ/$vq7xRRI6jN65vm8eG6HDNfg4HTUfVH5OippASsFPdC0", "yescrypt cost outside 3 to 8",
        "9")]
    [InlineData(
        "$5$rounds=999$s$azOwbpkvuuBKkE82dQPwTsQE8JyT9Fflpr9aKid3aT9", "sha256crypt cost outside 1000 to 1000000",
        "999")]
    [InlineData(
        "$5$rounds=1000001$s$azOwbpkvuuBKkE82dQPwTsQE8JyT9Fflpr9aKid3aT9", "sha256crypt cost outside 1000 to 1000000",
        "1000001")]
    public void Check_CostOutsideTheWindow_IsRefused(string text, string what, string found)
    {
        Assert.True(PasswordHash.TryParse(text, out var hash, out _));
        var refusal = hash.Check(new HtpasswdOptions { AllowShaCrypt = true });
        Assert.Equal((what, found), (refusal?.What, refusal?.Found));
    }

    [Theory]
    [InlineData("$2a$08$JVZo0SjMIkIr4aperbvjSeGfM8NCbnqEIQTXPpLqYQwWM8fRPquHe")]
    [InlineData("$2b$14$JVZo0SjMIkIr4aperbvjSeGfM8NCbnqEIQTXPpLqYQwWM8fRPquHe")]
    [InlineData("$y$j7T$HbYJABc6j3d/Z6fa7OUQQ/$vq7xRRI6jN65vm8eG6HDNfg4HTUfVH5OippASsFPdC0")]
    [InlineData("$y$jCT$HbYJABc6j3d/Z6fa7OUQQ/$vq7xRRI6jN65vm8eG6HDNfg4HTUfVH5OippASsFPdC0")]
    [InlineData("$5$rounds=1000$s$azOwbpkvuuBKkE82dQPwTsQE8JyT9Fflpr9aKid3aT9")]
    [InlineData("$5$rounds=1000000$s$azOwbpkvuuBKkE82dQPwTsQE8JyT9Fflpr9aKid3aT9")]
    public void Check_CostAtTheEdges_IsAccepted(string text)
    {
        Assert.True(PasswordHash.TryParse(text, out var hash, out _));
        Assert.Null(hash.Check(new HtpasswdOptions { AllowShaCrypt = true }));
    }

    [Fact]
    public void Check_ShaCryptWithoutTheOption_IsRefusedWithTheOptionsName()
    {
        Assert.True(PasswordHash.TryParse("$5$s$azOwbpkvuuBKkE82dQPwTsQE8JyT9Fflpr9aKid3aT9", out var hash, out _));
        Assert.Equal(
            "password hashed with sha256crypt, which is accepted only with allowShaCrypt",
            hash.Check(new HtpasswdOptions())?.What);
    }
}
