using Gateway.Server.SignIn.Authentication;

namespace Gateway.Tests.Server.SignIn.Authentication;

public class UserNameTests
{
    [Theory]
    [InlineData("alice")]
    [InlineData("Alice")]
    [InlineData("alice@example.com")]
    [InlineData("a#b")]
    [InlineData("DOMAIN\\alice")]
    [InlineData("~!$%^&*()_+-=[]{}|;'\"<>?,.`")]
    public void IsValid_PrintableAscii_IsTrue(string name) => Assert.True(UserName.IsValid(name));

    [Theory]
    [InlineData("")]
    [InlineData("#alice")]
    [InlineData("robot:ci")]
    [InlineData("../alice")]
    [InlineData("al ice")]
    [InlineData("alice\t")]
    [InlineData("alice\n")]
    [InlineData("al\u007fice")]
    [InlineData("älice")]
    [InlineData("аlice")] // Cyrillic
    public void IsValid_OtherText_IsFalse(string name) => Assert.False(UserName.IsValid(name));

    [Fact]
    public void IsValid_LengthsAroundTheLimit_AreTold()
    {
        Assert.True(UserName.IsValid(new string('a', 128)));
        Assert.False(UserName.IsValid(new string('a', 129)));
    }
}
