using Gateway.Foundation.Configuration;
using Gateway.Tests.Support;

namespace Gateway.Tests.Foundation.Configuration;

/// <summary>Words of printed commands, as a real shell reads them.</summary>
public sealed class ShellWordTests
{
    [Theory]
    [InlineData("/etc/docker/certs.d/a:5000", "/etc/docker/certs.d/a:5000")]
    [InlineData("user:alice@corp.test", "user:alice@corp.test")]
    [InlineData("~/ca.crt", "~/ca.crt")]
    [InlineData("~/my ca.crt", "~/'my ca.crt'")]
    [InlineData("~/", "~/")]
    [InlineData("host:$(reboot)", "'host:$(reboot)'")]
    [InlineData("[::1]:5000", "'[::1]:5000'")]
    [InlineData("o'brien@corp.test", "'o'\\''brien@corp.test'")]
    [InlineData("-rf", "'-rf'")]
    [InlineData("", "''")]
    [InlineData("a\nb\u001b[2Jc\u202ed", "'a\ufffdb\ufffd[2Jc\ufffdd'")]
    public void Of_IsOneWordAndOneLine(string text, string word) => Assert.Equal(word, ShellWord.Of(text));

    [Theory]
    [InlineData("o'brien@corp.test")]
    [InlineData("ann$x")]
    [InlineData("mary ann ")]
    [InlineData("`id`;\"\\ & | > < * ? [a-z] {a,b} ! #")]
    [InlineData("-n")]
    [InlineData("~root")]
    public async Task Of_ReadByAShell_IsTheTextItself(string text) =>
        Assert.Equal(text + "\n", await ShellReader.WordsOfAsync(ShellWord.Of(text)));
}
