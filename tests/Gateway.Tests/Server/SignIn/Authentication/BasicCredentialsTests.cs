using System.Text;
using Gateway.Server.SignIn.Authentication;

namespace Gateway.Tests.Server.SignIn.Authentication;

public class BasicCredentialsTests
{
    [Theory]
    [InlineData("alice:secret", "alice", "secret")]
    [InlineData("alice:se:cr:et", "alice", "se:cr:et")]
    [InlineData("alice:", "alice", "")]
    [InlineData(":secret", "", "secret")]
    [InlineData(":", "", "")]
    [InlineData("álice:pässwörd 🔑", "álice", "pässwörd 🔑")]
    public void TryParse_WellFormed_SplitsAtTheFirstColon(string text, string userName, string password)
    {
        Assert.True(BasicCredentials.TryParse(Encode(Encoding.UTF8.GetBytes(text)), out var credentials, out _));
        Assert.Equal((userName, password), (credentials.UserName, credentials.Password));
    }

    [Theory]
    [InlineData("")] // nothing at all
    [InlineData("YWxpY2U6c2VjcmV")] // length
    [InlineData("YWxpY2U6c2Vjcm V0")]
    [InlineData("YWxp    Y2U6c2VjcmV0")] // white space that keeps the length a multiple of four
    [InlineData("YWxpY2U6c2VjcmV0\r\n\r\n")]
    [InlineData(" YWxpY2U6c2VjcmV0")]
    [InlineData("YWxpY2U6c2VjcmV0 ")]
    [InlineData("YWxpY2U6c2Vj\ncmV")]
    [InlineData("YWxp=2U6c2VjcmV0")]
    [InlineData("YWxpY2U6c2VjcmU===")]
    [InlineData("YWxpY2U6c2VjcmV-")]
    [InlineData("====")]
    [InlineData("alice:secret")]
    [InlineData("YWxpY2U=")] // no colon
    public void TryParse_NotBase64OrNoColon_IsRefused(string text)
    {
        Assert.False(BasicCredentials.TryParse(text, out _, out var fault));
        Assert.NotNull(fault);
    }

    [Theory]
    [InlineData("alice:sec\0ret", "with a control character")]
    [InlineData("alice\0:secret", "with a control character")]
    [InlineData("alice:secret\n", "whose password ends in a line break")]
    [InlineData("alice:secret\r\n", "whose password ends in a line break")]
    [InlineData("alice:\n", "whose password ends in a line break")]
    [InlineData("alice:sec\nret\n", "with a control character")]
    [InlineData("alice\n:secret", "whose user name ends in a line break")]
    [InlineData("alice\n:secret\n", "with a control character")]
    [InlineData("ali\rce:secret", "with a control character")]
    [InlineData("alice:secret\u007f", "with a control character")]
    [InlineData("alice:secret\u0085", "with a control character")]
    public void TryParse_ControlCharacter_IsRefused(string text, string reason)
    {
        Assert.False(BasicCredentials.TryParse(Encode(Encoding.UTF8.GetBytes(text)), out _, out var fault));
        Assert.Equal("Basic credentials " + reason, fault.Reason);
    }

    [Theory]
    [InlineData(new byte[] { 0x61, 0x3A, 0xFF })]
    [InlineData(new byte[] { 0x61, 0x3A, 0xC0, 0x80 })] // NUL in too many bytes
    [InlineData(new byte[] { 0x61, 0x3A, 0xED, 0xA0, 0x80 })] // half of a pair
    [InlineData(new byte[] { 0x61, 0xC1, 0xBA, 0x62 })] // ":" in too many bytes
    public void TryParse_InvalidUtf8_IsRefused(byte[] bytes)
    {
        Assert.False(BasicCredentials.TryParse(Encode(bytes), out _, out var fault));
        Assert.Equal("Basic credentials that are not UTF-8", fault.Reason);
    }

    [Fact]
    public void TryParse_RandomText_NeverThrows()
    {
        var random = new Random(11);
        const string characters = "ABCDyz019+/=:- \0\nä";
        for (var i = 0; i < 100_000; i++)
        {
            var text = new string(
                [.. Enumerable.Range(0, random.Next(20)).Select(_ => characters[random.Next(characters.Length)])]);
            if (BasicCredentials.TryParse(text, out var credentials, out _))
            {
                Assert.DoesNotContain(credentials.UserName + credentials.Password, char.IsControl);
            }
        }
    }

    [Fact]
    public void ToString_AnyCredentials_ShowsNothing() =>
        Assert.Equal("***", new BasicCredentials("alice", "secret").ToString());

    private static string Encode(byte[] bytes) => Convert.ToBase64String(bytes);
}
