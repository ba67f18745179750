using Gateway.Server.SignIn.Authentication;

namespace Gateway.Tests.Server.SignIn.Authentication;

public class PasswordRulesTests
{
    [Theory]
    [InlineData("a", 72)]
    [InlineData("ä", 36)]
    [InlineData("€", 24)]
    public void Refuse_SeventyTwoBytesForBcrypt_Passes(string unit, int count) =>
        Assert.Null(PasswordRules.Refuse(string.Concat(Enumerable.Repeat(unit, count)), HashScheme.Bcrypt));

    [Theory]
    [InlineData("a", 73)]
    [InlineData("ä", 37)]
    [InlineData("€", 25)]
    public void Refuse_MoreThanSeventyTwoBytesForBcrypt_IsRefused(string unit, int count)
    {
        var password = string.Concat(Enumerable.Repeat(unit, count));
        Assert.Contains(
            "bcrypt reads only 72", PasswordRules.Refuse(password, HashScheme.Bcrypt)?.What, StringComparison.Ordinal);
        Assert.Null(PasswordRules.Refuse(password, HashScheme.Yescrypt));
    }

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("a\0b")]
    [InlineData("a\nb")]
    [InlineData("a\u0085b")]
    public void Refuse_EmptyOrControlCharacter_IsRefused(string password)
    {
        Assert.NotNull(PasswordRules.Refuse(password, HashScheme.Bcrypt));
        Assert.NotNull(PasswordRules.Refuse(password, HashScheme.Yescrypt));
    }

    [Fact]
    public void CanBeHashed_LengthsAroundLibcryptsLimit_AreJudgedInBytes()
    {
        Assert.True(PasswordRules.CanBeHashed(new string('a', 511)));
        Assert.False(PasswordRules.CanBeHashed(new string('a', 512)));
        Assert.False(PasswordRules.CanBeHashed(new string('ä', 256)));
        Assert.False(PasswordRules.CanBeHashed(""));
        Assert.False(PasswordRules.CanBeHashed("a\0"));
        Assert.Null(PasswordRules.Refuse(new string('a', 511), HashScheme.Yescrypt));
        Assert.NotNull(PasswordRules.Refuse(new string('a', 512), HashScheme.Yescrypt));
    }
}
