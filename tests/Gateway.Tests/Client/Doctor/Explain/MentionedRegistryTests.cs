using Gateway.Client.Doctor.Explain;

namespace Gateway.Tests.Client.Doctor.Explain;

public class MentionedRegistryTests
{
    [Theory]
    [InlineData("Get \"https://registry.example.com/v2/\": EOF", "registry.example.com", null)]
    [InlineData(
        "Head \"https://registry.example.com:8443/v2/team-a/app/manifests/1.4\": EOF", "registry.example.com:8443",
        "team-a/app")]
    [InlineData("HEAD HTTPS://REGISTRY.EXAMPLE.COM/V2/TEAM-A/APP/MANIFESTS/1", "registry.example.com", "team-a/app")]
    [InlineData(
        "Get \\\"https://registry.example.com/v2/te\nam-a/app/blobs/sha256:aa\\\": EOF", "registry.example.com",
        "team-a/app")]
    [InlineData(
        "initializing source docker://registry.example.com/team-a/app:1: denied", "registry.example.com", "team-a/app")]
    [InlineData("Failed to pull image \"localhost:5000/my-ubuntu\": rpc error", "localhost:5000", "my-ubuntu")]
    [InlineData(
        "pull access denied for registry.example.com/team/app, repository does not exist", "registry.example.com",
        "team/app")]
    [InlineData(
        "GET request to https://registry.example.com/token?scope=repository%3Ateam%2Fapp%3Apull&service=x: 401",
        "registry.example.com", "team/app")]
    [InlineData("dial tcp: lookup registry.example.com on 10.0.0.2:53: no such host", "registry.example.com", null)]
    [InlineData("Get \"https://139.9.162.134:30043/v2/\": x509", "139.9.162.134:30043", null)]
    [InlineData("curl: (6) Could not resolve host: registry.example.com", "registry.example.com", null)]
    [InlineData(
        "Error: logging into \"registry.example.com\": invalid username/password", "registry.example.com", null)]
    [InlineData("repository registry.example.com/team/app not found: name unknown", "registry.example.com", "team/app")]
    [InlineData("pull access denied for team-a/app, repository does not exist", null, null)]
    [InlineData("Get \"https://user:secret@registry.example.com/v2/\": EOF", null, null)]
    [InlineData("Get \"https://registry..example.com/v2/a/manifests/1\": EOF", null, null)]
    [InlineData("Get \"https://registry.example.com:99999/v2/\": EOF", null, null)]
    [InlineData("Get \"https://registry.example.com/v2/a//b/manifests/1\": EOF", "registry.example.com", null)]
    [InlineData("x509: certificate signed by unknown authority", null, null)]
    public void Find_Message_TakesOnlyValidNames(string text, string? host, string? repository) =>
        Assert.Equal(new MentionedRegistry(host, repository), MentionedRegistry.Find(text));

    [Theory]
    [InlineData(
        "openssl s_client -connect HOST:443 -servername HOSTNAME",
        "openssl s_client -connect hub.example.com:8443 -servername hub.example.com")]
    [InlineData(
        "gateway doctor --client https://HOST --repository NAME --user USER",
        "gateway doctor --client https://hub.example.com:8443 --repository a/b --user USER")]
    public void Fill_HostWithPort_StandsWhereItBelongs(string step, string expected) =>
        Assert.Equal(expected, new MentionedRegistry("hub.example.com:8443", "a/b").Fill(step));

    [Fact]
    public void Fill_NothingFound_LeavesTheWords() => Assert.Equal(
        "openssl s_client -connect HOST:443 -servername HOST NAME",
        new MentionedRegistry(null, null).Fill("openssl s_client -connect HOST:443 -servername HOSTNAME NAME"));
}
