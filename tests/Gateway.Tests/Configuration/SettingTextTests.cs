using Gateway.Configuration;

namespace Gateway.Tests.Configuration;

public sealed class SettingTextTests
{
    [Theory]
    [InlineData("htpaswd", "htpasswd")]
    [InlineData("PUBLICURL", "publicUrl")]
    [InlineData("pubilcUrl", "publicUrl")]
    [InlineData("upstream", "upstreams")]
    [InlineData("http", "https")]
    [InlineData("kye", "key")]
    [InlineData("kez", "key")]
    [InlineData("url", null)]
    [InlineData("ky", null)] // two letters say too little
    [InlineData("", null)]
    [InlineData("certificate", null)]
    public void Nearest_MistypedKey_FindsTheOneMeant(string word, string? expected)
    {
        Assert.Equal(expected, SettingText.Nearest(word, ["htpasswd", "publicUrl", "upstreams", "https", "key"]));
    }

    [Fact]
    public void Nearest_EndlessKey_CostsNothing()
    {
        Assert.Null(SettingText.Nearest(new string('k', 1_000_000), ["key"]));
    }

    [Theory]
    [InlineData("https://registry.example.com", "https://registry.example.com")]
    [InlineData("https://user:pass@host/path", "https://***@host/path")]
    [InlineData("https://us@er:p@ss@host", "https://***@host")]
    [InlineData("https://user:p?s#s@host", "https://***@host")]
    [InlineData("user:pass@host", "***@host")]
    [InlineData("https://host/?token=secret", "https://host/?***")]
    [InlineData("https://host/#secret", "https://host/#***")]
    [InlineData("https://host/?mail=a@b", "https://***@b")]
    public void WithoutUrlSecrets_Text_HidesThem(string text, string expected)
    {
        Assert.Equal(expected, SettingText.WithoutUrlSecrets(text));
    }
}
