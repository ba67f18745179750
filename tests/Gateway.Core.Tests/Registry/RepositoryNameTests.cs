using Gateway.Core.Registry;

namespace Gateway.Core.Tests.Registry;

public sealed class RepositoryNameTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("0")]
    [InlineData("library/alpine")]
    [InlineData("a/b/c/d/e")]
    [InlineData("a.b")]
    [InlineData("a_b")]
    [InlineData("a__b")]
    [InlineData("a-b")]
    [InlineData("a---b")]
    [InlineData("x/manifests")]
    [InlineData("a/blobs/uploads")]
    [InlineData("v2/tags/list")]
    [InlineData("sha256")]
    public void TryParse_NameOfTheGrammar_KeepsIt(string text)
    {
        Assert.True(RepositoryName.TryParse(text, out var name));
        Assert.Equal(text, name.Value);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("a//b")]
    [InlineData("A")]
    [InlineData("Foo/bar")]
    [InlineData("a/B")]
    [InlineData("-a")]
    [InlineData("a-")]
    [InlineData(".a")]
    [InlineData("a.")]
    [InlineData("_a")]
    [InlineData("a_")]
    [InlineData("a..b")]
    [InlineData("a___b")]
    [InlineData("a._b")]
    [InlineData("a-_b")]
    [InlineData("a/-b")]
    [InlineData("a/./b")]
    [InlineData("a/../b")]
    [InlineData("..")]
    [InlineData("host:5000/a")]
    [InlineData("a b")]
    [InlineData("a\n")]
    [InlineData("a\0")]
    [InlineData("a%2fb")]
    [InlineData("a\\b")]
    [InlineData("é")]
    [InlineData("ａ")] // full-width letter
    [InlineData("٣")] // a digit to char.IsDigit
    [InlineData("_catalog")]
    [InlineData("*")]
    public void TryParse_TextOutsideTheGrammar_Refuses(string text) =>
        Assert.False(RepositoryName.TryParse(text, out _));

    [Fact]
    public void TryParse_LengthAtAndBeyondTheLimit_AcceptsTheFirstOnly()
    {
        Assert.True(RepositoryName.TryParse(new string('a', 255), out _));
        Assert.False(RepositoryName.TryParse(new string('a', 256), out _));
    }
}
