using System.Diagnostics.CodeAnalysis;
using Gateway.EndToEndTests.Clients;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.ClientLogin;

/// <summary>
/// <c>gateway login</c>, and the credential helper as docker and podman call it: the program itself under another name.
/// </summary>
[Collection(ClientMachine.Name)]
[Trait(SharedMachine.Trait, SharedMachine.Value)]
[SuppressMessage("Design", "CA1001", Justification = "xUnit calls IAsyncLifetime.DisposeAsync")]
public sealed class CredentialHelperClientTests(RefreshTokensFixture refreshing, DockerEngine engine)
    : IClassFixture<RefreshTokensFixture>, IAsyncLifetime
{
    private readonly TestImage _image = TestImage.Create(size: 1024);
    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-login-").FullName;

    private string LoginsFile => Path.Combine(_folder, "logins.json");

    private string Authority => refreshing.Gateway.Authority;

    public Task InitializeAsync()
    {
        File.CreateSymbolicLink(
            Path.Combine(_folder, "docker-credential-gateway"), Path.Combine(AppContext.BaseDirectory, "gateway"));
        return Task.CompletedTask;
    }

    public Task DisposeAsync()
    {
        _image.Dispose();
        Directory.Delete(_folder, recursive: true);
        return Task.CompletedTask;
    }

    [Fact]
    public async Task Docker_GetsTheTokenFromTheHelper_AndIsToldWhenTheSignInHasEnded()
    {
        await using var docker = new DockerClient(refreshing.Gateway, engine);
        AddTo(docker.Environment);
        var folder = Path.GetDirectoryName(docker.ConfigurationFile)!;
        await File.WriteAllTextAsync(docker.ConfigurationFile, """{"auths":{}}""");

        var login = await LoginAsync("alice", ClientsFixture.PasswordOf("alice"), folder);
        Assert.Contains("Signed in to", login.Succeeded(), StringComparison.Ordinal);
        Assert.DoesNotContain(
            ClientsFixture.PasswordOf("alice"), await File.ReadAllTextAsync(LoginsFile), StringComparison.Ordinal);
        Assert.Contains("rgf_", await File.ReadAllTextAsync(LoginsFile), StringComparison.Ordinal);

        var name = $"team-a/helper-{Guid.NewGuid():n}:1";
        (await docker.PushAsync(_image, name)).Succeeded();
        (await docker.PullAsync(name)).Succeeded();
        var file = await File.ReadAllTextAsync(docker.ConfigurationFile);
        Assert.DoesNotContain("\"auth\"", file, StringComparison.Ordinal);

        // Ended by the operator: docker says why, in the registry's words.
        (await refreshing.Gateway.RunCommandAsync("token", "revoke", "--all-of", "user:alice")).Succeeded();
        var push = await docker.PushAsync(_image, name);
        push.FailedWith("it was revoked");

        (await RunAsync(["logout", Authority], null, folder)).Succeeded();
        Assert.DoesNotContain(
            "gateway", await File.ReadAllTextAsync(docker.ConfigurationFile), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Podman_GetsTheTokenFromTheHelper()
    {
        await using var podman = new PodmanClient(refreshing.Gateway, "podman");
        AddTo(podman.Environment);
        await File.WriteAllTextAsync(podman.CredentialsFile, $$"""{"credHelpers":{"{{Authority}}":"gateway"} }""");
        (await LoginAsync("alice", ClientsFixture.PasswordOf("alice"), _folder, "--no-docker")).Succeeded();

        var name = $"team-a/helper-{Guid.NewGuid():n}:1";
        (await podman.PushAsync(_image, name)).Succeeded();
        (await podman.PullAsync(name)).Succeeded();
    }

    [Fact]
    public async Task Login_WrongPasswordOrUntrusted_SaysWhatToDo()
    {
        (await LoginAsync("alice", "not hers", _folder)).FailedWith("the user name or password is wrong");
        Assert.False(File.Exists(LoginsFile));
        (await RunAsync(["login", "--username", "alice", "127.0.0.1:1"], "x", _folder)).FailedWith("does not answer");
    }

    [Theory]
    [InlineData(null, "not on the PATH")]
    [InlineData("dangling", "not on the PATH")]
    [InlineData("#!/bin/sh\nexit 127\n", "exits with code 127")]
    [InlineData("#!/nowhere/interpreter\n", "cannot be run")]
    // another program of this name, such as "dotnet" itself
    [InlineData("#!/bin/sh\necho hello\n", "does not answer \"list\"")]
    public async Task Login_HelperDoesNotAnswer_DoesNothingAndNamesTheRightFile(string? helper, string found)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, "bin")).FullName;
        var file = Path.Combine(folder, "docker-credential-gateway");
        if (helper == "dangling")
        {
            File.CreateSymbolicLink(file, "/nowhere/gateway");
        }
        else if (helper is not null)
        {
            await File.WriteAllTextAsync(file, helper);
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }

        var configuration = Path.Combine(_folder, "config.json");
        await File.WriteAllTextAsync(configuration, """{"auths":{}}""");
        var login = await LoginAsync(
            "alice", ClientsFixture.PasswordOf("alice"), _folder,
            path: $"{folder}:{Environment.GetEnvironmentVariable("PATH")}");

        // The tests run "dotnet gateway.dll": the file to link is the gateway's own program all the same.
        login.FailedWith(
            found, "nothing was done",
            $"ln -sf {AppContext.BaseDirectory}gateway /usr/local/bin/docker-credential-gateway");
        Assert.False(File.Exists(LoginsFile));
        Assert.Equal("""{"auths":{}}""", await File.ReadAllTextAsync(configuration));
    }

    [Fact]
    public async Task Login_HelperKnowsAnotherFile_KeepsTheSignInAndLeavesDockerAlone()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, "bin")).FullName;
        var file = Path.Combine(folder, "docker-credential-gateway");
        await File.WriteAllTextAsync(
            file,
            $"#!/bin/sh\nREGISTRY_GATEWAY_LOGINS=/nowhere/logins.json exec {_folder}/docker-credential-gateway "
                + "\"$@\"\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserExecute);

        var login = await LoginAsync(
            "alice", ClientsFixture.PasswordOf("alice"), _folder,
            path: $"{folder}:{Environment.GetEnvironmentVariable("PATH")}");

        login.FailedWith("the sign-in is stored", "get exits with code 1");
        Assert.True(File.Exists(LoginsFile));
        Assert.False(File.Exists(Path.Combine(_folder, "config.json")));
    }

    [Fact]
    public async Task Docker_LogsInThroughTheHelper_ByItself()
    {
        await using var docker = new DockerClient(refreshing.Gateway, engine);
        AddTo(docker.Environment);
        await File.WriteAllTextAsync(docker.ConfigurationFile, $$"""{"credHelpers":{"{{Authority}}":"gateway"} }""");

        (await docker.LoginAsync("alice", ClientsFixture.PasswordOf("alice"))).Succeeded();
        Assert.Contains("rgf_", await File.ReadAllTextAsync(LoginsFile), StringComparison.Ordinal);
        (await docker.PushAsync(_image, $"team-a/helper-{Guid.NewGuid():n}:1")).Succeeded();
        (await docker.LogoutAsync()).Succeeded();
        Assert.DoesNotContain("rgf_", await File.ReadAllTextAsync(LoginsFile), StringComparison.Ordinal);
    }

    private void AddTo(Dictionary<string, string?> environment)
    {
        environment["PATH"] = $"{_folder}:{Environment.GetEnvironmentVariable("PATH")}";
        environment["REGISTRY_GATEWAY_LOGINS"] = LoginsFile;
    }

    private Task<CliResult> LoginAsync(
        string user, string password, string dockerFolder, string? option = null, string? path = null) =>
        RunAsync(
            [
                "login", "--username", user, "--ca", refreshing.Gateway.Process.AuthorityFile, Authority,
                .. option is null ? [] : new[] { option },
            ],
            password, dockerFolder, path);

    private Task<CliResult> RunAsync(string[] arguments, string? input, string dockerFolder, string? path = null)
    {
        var environment = new Dictionary<string, string?> { ["DOCKER_CONFIG"] = dockerFolder };
        AddTo(environment);
        environment["PATH"] = path ?? environment["PATH"];
        return GatewayProcess.RunCommandAsync(arguments, new CliSettings { Input = input, Environment = environment });
    }
}
