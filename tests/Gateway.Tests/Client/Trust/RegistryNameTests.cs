using Gateway.Foundation.Trust;

namespace Gateway.Tests.Client.Trust;

public sealed class RegistryNameTests
{
    [Theory]
    [InlineData("registry.example.com", "registry.example.com", false)]
    [InlineData("Registry.Example.com:443", "registry.example.com", false)]
    [InlineData("https://registry.example.com/", "registry.example.com", false)]
    [InlineData("registry.example.com:8443", "registry.example.com:8443", true)]
    [InlineData("10.0.0.7:5000", "10.0.0.7:5000", true)]
    [InlineData("[::1]:8443", "[::1]:8443", true)]
    [InlineData("[::1]", "[::1]", false)]
    public void Parse_Host_IsTheFolderOfClients(string text, string name, bool hasPort)
    {
        Assert.True(RegistryName.TryParse(text, out var parsed));
        Assert.Equal((name, hasPort), (parsed.Text, parsed.HasPort));
    }

    [Theory]
    [InlineData("")]
    [InlineData("http://registry.example.com")]
    [InlineData("registry.example.com/team")]
    [InlineData("..")]
    [InlineData("../../etc")]
    [InlineData("-x.example.com")]
    [InlineData("a b")]
    [InlineData("registry.example.com:0x1")]
    [InlineData("x:y@registry.example.com")]
    public void Parse_AnythingElse_IsRefused(string text) => Assert.False(RegistryName.TryParse(text, out _));

    [Fact]
    public void Slug_LongName_FitsIntoALabel()
    {
        Assert.True(
            RegistryName.TryParse(string.Join('.', Enumerable.Repeat("abcdefghi", 20)) + ":8443", out var name));
        Assert.InRange(KubernetesManifest.LabelOf(name).Length, 1, 63);
        Assert.True(char.IsAsciiLetterOrDigit(KubernetesManifest.LabelOf(name)[^1]));
    }
}
