using Gateway.Foundation.Configuration;

namespace Gateway.Tests.Foundation.Configuration;

public sealed class SettingTextTests
{
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
