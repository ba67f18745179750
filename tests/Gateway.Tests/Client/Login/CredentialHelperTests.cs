#pragma warning disable CA1416 // the tests run on Linux
using System.Text.Json;
using Gateway.Client.Login;
using Gateway.Foundation.Configuration;
using Gateway.Tests.Support;

namespace Gateway.Tests.Client.Login;

/// <summary>What docker says to the helper and hears of it, and the files that it keeps.</summary>
public sealed class CredentialHelperTests : IDisposable
{
    private const string Registry = "registry.example.test:8443";

    private readonly TemporaryFolder _folder = new();
    private readonly LoginFile _file;

    public CredentialHelperTests() => _file = new LoginFile(Path.Combine(_folder.Path, "config", "logins.json"));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task StoreGetListErase_AsDockerAsks()
    {
        Assert.Equal((1, "credentials not found in native keychain"), await Run("get", Registry));

        await Run("store", $$"""{"ServerURL":"https://{{Registry}}/","Username":"alice","Secret":"the password"}""");
        Assert.Equal(
            (0, $$"""{"ServerURL":"{{Registry}}","Username":"alice","Secret":"the password"}"""),
            await Run("get", Registry + "\n"));
        Assert.Equal((0, $$"""{"{{Registry}}":"alice"}"""), await Run("list", ""));

        await Run("erase", Registry);
        Assert.Equal((1, "credentials not found in native keychain"), await Run("get", Registry));
    }

    [Fact]
    public async Task File_IsReadableByItsOwnerOnly()
    {
        await Run("store", $$"""{"ServerURL":"{{Registry}}","Username":"alice","Secret":"the password"}""");

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_file.Path));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            File.GetUnixFileMode(Path.GetDirectoryName(_file.Path)!));
    }

    [Fact]
    public async Task File_WithoutLogins_IsEmpty()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_file.Path)!);
        await File.WriteAllTextAsync(_file.Path, "{}");

        Assert.Equal((0, "{}"), await Run("list", ""));
        Assert.Equal((1, "credentials not found in native keychain"), await Run("get", Registry));
    }

    [Theory]
    [InlineData("{ not json")]
    [InlineData("null")]
    [InlineData("""{"logins":null}""")]
    [InlineData("""{"logins":{"registry.example.test:8443":null}}""")]
    [InlineData("""{"logins":{"registry.example.test:8443":{"userName":"a","secret":null,"isRefreshToken":false}}}""")]
    [InlineData("""{"logins":{"registry.example.test:8443":{"userName":"alice","isRefreshToken":false}}}""")]
    public async Task File_Spoiled_IsSaidWithItsFixAndKept(string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_file.Path)!);
        await File.WriteAllTextAsync(_file.Path, content);

        var (code, output) = await Run("get", Registry);
        Assert.Equal(1, code);
        Assert.Contains("sign in again", output, StringComparison.Ordinal);
        await Run("store", $$"""{"ServerURL":"{{Registry}}","Username":"alice","Secret":"x"}""");
        Assert.Equal(content, await File.ReadAllTextAsync(_file.Path));
    }

    [Theory]
    [InlineData("store", "nonsense")]
    [InlineData("store", "{}")]
    [InlineData("store", """{"ServerURL":"a b","Username":"alice","Secret":"x"}""")]
    [InlineData("get", "http://registry.example.test")]
    [InlineData("get", "registry.example.test/team")]
    [InlineData("get", "")]
    [InlineData("dance", "")]
    public async Task Nonsense_IsRefusedWithASentence(string action, string input)
    {
        var (code, output) = await Run(action, input);
        Assert.Equal(1, code);
        Assert.NotEmpty(output);
        Assert.False(File.Exists(_file.Path));
    }

    [Fact]
    public void DockerConfiguration_KeepsAllElse()
    {
        var path = Path.Combine(_folder.Path, "docker", "config.json");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, $$"""
            {"auths":{"{{Registry}}":{"auth":"YTpi"},"other.test":{"auth":"YTpi"} },"proxies":{"default":{"httpProxy":"http://p"} },"credHelpers":{"gcr.io":"gcloud"} }
            """);
        var docker = new DockerConfiguration(path);

        docker.UseHelper(Registry);
        var used = JsonDocument.Parse(File.ReadAllText(path)).RootElement;
        Assert.Equal("gateway", used.GetProperty("credHelpers").GetProperty(Registry).GetString());
        Assert.Equal("gcloud", used.GetProperty("credHelpers").GetProperty("gcr.io").GetString());
        Assert.False(used.GetProperty("auths").TryGetProperty(Registry, out _)); // else docker's own copy would go on
        Assert.True(used.GetProperty("auths").TryGetProperty("other.test", out _));
        Assert.Equal(
            "http://p", used.GetProperty("proxies").GetProperty("default").GetProperty("httpProxy").GetString());

        docker.LeaveHelper(Registry);
        var left = JsonDocument.Parse(File.ReadAllText(path)).RootElement.GetProperty("credHelpers");
        Assert.False(left.TryGetProperty(Registry, out _));
        Assert.True(left.TryGetProperty("gcr.io", out _));
    }

    [Fact]
    public void DockerConfiguration_NotUnderstood_IsLeftAlone()
    {
        var path = Path.Combine(_folder.Path, "config.json");
        File.WriteAllText(path, "{ \"auths\": ");

        Assert.Throws<ProblemException>(() => new DockerConfiguration(path).UseHelper(Registry));
        Assert.Equal("{ \"auths\": ", File.ReadAllText(path));
    }

    [Theory]
    [InlineData("""{"credHelpers":"gcloud"}""")]
    [InlineData("""{"auths":["a"]}""")]
    [InlineData("""{"auths":{},"auths":{}}""")] // which of them counts, readers differ on
    [InlineData("[]")]
    public void DockerConfiguration_OfAnotherShape_IsLeftAlone(string content)
    {
        var path = Path.Combine(_folder.Path, "config.json");
        File.WriteAllText(path, content);

        Assert.Throws<ProblemException>(() => new DockerConfiguration(path).UseHelper(Registry));
        Assert.Equal(content, File.ReadAllText(path));
    }

    [Fact]
    public void DockerConfiguration_HelperOfAnother_IsToldAndNotTakenAwayByALogout()
    {
        var path = Path.Combine(_folder.Path, "config.json");
        File.WriteAllText(path, $$"""{"credsStore":"desktop","credHelpers":{"{{Registry}}":"ecr-login"} }""");
        var docker = new DockerConfiguration(path);

        docker.LeaveHelper(Registry);
        Assert.Contains("ecr-login", File.ReadAllText(path), StringComparison.Ordinal);
        Assert.Equal("ecr-login", docker.UseHelper(Registry));
        Assert.Null(docker.UseHelper(Registry));
        // a registry's own helper comes before it
        Assert.Contains("desktop", File.ReadAllText(path), StringComparison.Ordinal);
    }

    [Fact]
    public void DockerConfiguration_LinkAndMode_Stay()
    {
        const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead
            | UnixFileMode.OtherRead;
        var target = _folder.Write("dotfiles.json", "{}");
        File.SetUnixFileMode(target, Mode);
        var link = Path.Combine(_folder.Path, "config.json");
        File.CreateSymbolicLink(link, target);

        new DockerConfiguration(link).UseHelper(Registry);

        Assert.Equal(target, new FileInfo(link).LinkTarget);
        Assert.Contains(Registry, File.ReadAllText(target), StringComparison.Ordinal);
        Assert.Equal(Mode, File.GetUnixFileMode(target));
        var made = Path.Combine(_folder.Path, "new", "config.json");
        new DockerConfiguration(made).UseHelper(Registry);
        // docker keeps passwords in it
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(made));
    }

    [Theory]
    [InlineData(
        "/opt/gateway/gateway", "/opt/gateway/", true,
        "ln -sf /opt/gateway/gateway /usr/local/bin/docker-credential-gateway")]
    // one file
    [InlineData(
        "/usr/bin/gateway", "/tmp/unpacked/", true, "ln -sf /usr/bin/gateway /usr/local/bin/docker-credential-gateway")]
    [InlineData(
        "/usr/share/dotnet/dotnet", "/opt/a b/", true,
        "ln -sf '/opt/a b/gateway' /usr/local/bin/docker-credential-gateway")]
    [InlineData("/usr/share/dotnet/dotnet", "/opt/it's/", false,
        "printf '#!/bin/sh\\nexec %s %s credential-helper \"$@\"\\n' /usr/share/dotnet/dotnet "
        + "'/opt/it'\\''s/gateway.dll' >/usr/local/bin/docker-credential-gateway && chmod 755 "
        + "/usr/local/bin/docker-credential-gateway")]
    public void Installation_NamesTheGatewaysOwnFileAndNeverDotnetAlone(
        string process, string folder, bool hasProgram, string expected) =>
        Assert.Equal(expected, HelperInstallation.Command(process, folder, _ => hasProgram));

    private async Task<(int Code, string Output)> Run(string action, string input)
    {
        using var output = new StringWriter();
        using var reader = new StringReader(input);
        var code = await new CredentialHelper(_file, reader, output).RunAsync(action, CancellationToken.None);
        return (code, output.ToString().TrimEnd());
    }
}
