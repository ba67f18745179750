using Gateway.Client.Doctor.Client;
using Gateway.Foundation.Trust;

namespace Gateway.Tests.Client.Doctor;

public sealed class ClientQuestionTests
{
    [Theory]
    [InlineData("registry.example.com", "https://registry.example.com/")]
    [InlineData("registry.example.com:8443", "https://registry.example.com:8443/")]
    [InlineData("https://registry.example.com/", "https://registry.example.com/")]
    [InlineData("https://registry.example.com/v2/", "https://registry.example.com/")]
    [InlineData("http://localhost:5000/v2", "http://localhost:5000/")]
    [InlineData("[2001:db8::1]:5000", "https://[2001:db8::1]:5000/")]
    [InlineData("10.0.0.1", "https://10.0.0.1/")]
    public void TryParse_Registry_IsRead(string text, string url)
    {
        Assert.True(RegistryUrl.TryParse(text, out var parsed));
        Assert.Equal(new Uri(url), parsed);
    }

    [Theory]
    [InlineData("")]
    [InlineData("ftp://registry.example.com")]
    [InlineData("file:///etc/passwd")]
    [InlineData("https://alice:secret@registry.example.com")]
    [InlineData("registry.example.com/team-a/app")]
    [InlineData("https://registry.example.com/?x=1")]
    [InlineData("https://")]
    [InlineData("registry example.com")]
    [InlineData("registry.example.com:99999")]
    public void TryParse_NoRegistry_IsNotRead(string text) => Assert.False(RegistryUrl.TryParse(text, out _));

    [Theory]
    [InlineData("localhost:5000", true, "localhost", "localhost:5000")]
    [InlineData("127.0.0.2", true, "127.0.0.2", "127.0.0.2")]
    [InlineData("[::1]:5000", true, "::1", "[::1]:5000")]
    [InlineData("registry.example.com", false, "registry.example.com", "registry.example.com")]
    public void Names_AreThoseOfCertificatesAndFiles(string text, bool isLoopback, string host, string name)
    {
        Assert.True(RegistryUrl.TryParse(text, out var url));
        var question = new ClientQuestion(url) { Machine = new ClientMachine("/", new Dictionary<string, string>()) };
        Assert.Equal((isLoopback, host, name), (question.IsLoopback, question.Host, question.Name));
    }
}
