using Gateway.Core.Registry;

namespace Gateway.Core.Tests.Registry;

public sealed class UploadIdTests
{
    [Theory]
    [InlineData(Samples.UploadId)]
    [InlineData("a")]
    [InlineData("A_b.c-d=")]
    [InlineData("...")]
    public void TryParse_IdOfTheRegistrysAlphabet_KeepsIt(string text)
    {
        Assert.True(UploadId.TryParse(text, out var id));
        Assert.Equal(text, id.Value);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("a%3D")]
    [InlineData("a:b")]
    [InlineData("a\n")]
    [InlineData("é")]
    public void TryParse_AnythingElse_Refuses(string text) => Assert.False(UploadId.TryParse(text, out _));

    [Fact]
    public void TryParse_LengthAtAndBeyondTheLimit_AcceptsTheFirstOnly()
    {
        Assert.True(UploadId.TryParse(new string('a', UploadId.MaxLength), out _));
        Assert.False(UploadId.TryParse(new string('a', UploadId.MaxLength + 1), out _));
    }
}
