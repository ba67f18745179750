using Gateway.Tests.Server.Host.Configuration;
using Gateway.Tests.Support;

namespace Gateway.Tests.Foundation.Configuration;

public sealed class SecretSettingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("s3cret", "s3cret")]
    [InlineData("s3cret\n", "s3cret")]
    [InlineData("s3cret\r\n", "s3cret")]
    [InlineData(" s3 cret ", " s3 cret ")] // spaces belong to it
    [InlineData("\ufeffs3cret\n", "s3cret")] // a byte order mark does not
    public void Load_PasswordFile_DropsOneLineBreak(string content, string expected)
    {
        _folder.Write("secrets/password", content);

        Assert.Equal(expected, PasswordOf("passwordFile: secrets/password"));
    }

    [Fact]
    public void Load_PasswordFileByAbsolutePath_IsRead()
    {
        var path = _folder.Write("elsewhere/password", "s3cret\n");

        Assert.Equal("s3cret", PasswordOf($"passwordFile: {path}"));
    }

    [Fact]
    public void Load_PasswordThatLooksLikeYaml_StaysText()
    {
        Assert.Equal("0123", PasswordOf("password: 0123"));
        Assert.Equal("~", PasswordOf("password: \"~\""));
    }

    [Fact]
    public void Load_FileLargerThanTheCap_IsAProblem()
    {
        _folder.Write("secrets/password", new string('x', (64 * 1024) + 1));

        Assert.Equal(
            "gateway.yaml:8:21: registries[0].credential.passwordFile: is larger than 64 KiB. Name a file, relative "
                + "to FOLDER, that holds the secret and that the gateway can read.",
            Problems("passwordFile: secrets/password"));
    }

    [Fact]
    public void Load_EndlessDeviceAsFile_IsAProblem()
    {
        Assert.Contains("is larger than 64 KiB", Problems("passwordFile: /dev/zero"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("password: file-secret", "Password", "env-secret")]
    [InlineData("password: file-secret", "PasswordFile", "secrets/env")]
    [InlineData("passwordFile: secrets/file", "Password", "env-secret")]
    [InlineData("passwordFile: secrets/file", "PasswordFile", "secrets/env")]
    public void Load_SecretInEnvironment_TakesThePlaceOfTheFiles(string line, string variable, string value)
    {
        _folder.Write("secrets/file", "file-secret");
        _folder.Write("secrets/env", "env-secret");

        Assert.Equal("env-secret", PasswordOf(line, ($"GATEWAY__Registries__0__Credential__{variable}", value)));
    }

    [Fact]
    public void Load_SecretTwiceInEnvironment_IsAProblem()
    {
        Assert.Equal(
            "environment GATEWAY__Registries__0__Credential__PasswordFile: registries[0].credential.password: is "
                + "given both here and as registries[0].credential.passwordFile. Keep one of the two.",
            Problems(
                "password: canary",
                ("GATEWAY__Registries__0__Credential__Password", "canary"),
                ("GATEWAY__Registries__0__Credential__PasswordFile", "canary")));
    }

    [Fact]
    public void Load_WrongSecretInEnvironment_IsNotShown()
    {
        Assert.Equal(
            """
            environment GATEWAY__Registries__0__Credential__Password: registries[0].credential.password: contains a control character, such as a line break. Write only the password, on one line.
            environment GATEWAY__Registries__0__Credential__Token: registries[0].credential.token: is empty. Give it a value, or remove it.
            environment GATEWAY__Registries__0__Upstreams__0: registries[0].upstreams[0]: holds a user name or password (found "http://***@registry"). Remove everything before the "@".
            """,
            Problems(
                "password: canary",
                ("GATEWAY__Registries__0__Credential__Password", "canary\ncanary"),
                ("GATEWAY__Registries__0__Credential__Token", ""),
                ("GATEWAY__Registries__0__Upstreams__0", "http://gateway:canary@registry")));
    }

    private string? PasswordOf(string line, params (string Name, string Value)[] environment) => ConfigurationSamples
        .Load(_folder, ConfigurationSamples.WithCredential("username: gateway", line), environment)
        .Registries[0].Credential!.Password;

    private string Problems(string line, params (string Name, string Value)[] environment) =>
        ConfigurationSamples.Problems(
            _folder, ConfigurationSamples.WithCredential("username: gateway", line), environment);
}
