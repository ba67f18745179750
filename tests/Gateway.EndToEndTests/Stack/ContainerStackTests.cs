using System.Text.RegularExpressions;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Stack;

/// <summary>The stack in containers, used by the Docker Engine that runs it.</summary>
[Collection(SharedMachine.Name)]
[Trait(SharedMachine.Trait, SharedMachine.Value)]
public sealed partial class ContainerStackTests(ContainerStackFixture fixture) : IClassFixture<ContainerStackFixture>,
IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-docker-client-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Up_Ready_PrintsAddressUsersAndLoginLine()
    {
        var text = fixture.Up.Output;

        Assert.Contains($"https://{fixture.Stack.Authority}", text, StringComparison.Ordinal);
        foreach (var user in new[] { "admin", "alice", "bob" })
        {
            Assert.Contains(fixture.Stack.PasswordOf(user), text, StringComparison.Ordinal);
        }

        Assert.Contains(
            "docker login --username alice --password "
                + $"'{fixture.Stack.PasswordOf("alice")}' {fixture.Stack.Authority}\n",
            text, StringComparison.Ordinal);
    }

    [Fact]
    public void Up_Ready_KeepsPasswordsFromOthers()
    {
        var mode = File.GetUnixFileMode(Path.Combine(fixture.Stack.State, "credentials"));

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, mode);
    }

    [Fact]
    public async Task Gateway_Container_SeesItsCertificateButNotTheAuthoritysKey()
    {
        var gateway = await fixture.ContainerAsync("gateway");

        var files = (await fixture.DockerAsync("exec", gateway, "find", "/run/gateway", "-type", "f")).Succeeded();

        Assert.Equal(
            ["/run/gateway/certs/tls.crt", "/run/gateway/certs/tls.key", "/run/gateway/users/users.htpasswd"],
            files.Split('\n').Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Doctor_InTheContainer_FindsNothingWrong()
    {
        var doctor = await fixture.DockerAsync("exec", await fixture.ContainerAsync("gateway"), "gateway", "doctor");

        Assert.Contains("0 errors, 0 warnings", doctor.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Gateway_Container_HasNoPrivileges()
    {
        const string Format = "{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} "
            + "{{.HostConfig.SecurityOpt}} {{.State.Health.Status}}";

        foreach (var service in new[] { "gateway", "registry", "redis" })
        {
            var facts =
                (await fixture.DockerAsync("inspect", "--format", Format, await fixture.ContainerAsync(service)))
                    .Succeeded();
            Assert.DoesNotMatch("^(0|root)?(:| )", facts);
            Assert.Contains(" true [ALL] [no-new-privileges:true] ", facts, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Gateway_Container_BecomesHealthy()
    {
        var gateway = await fixture.ContainerAsync("gateway");
        var status = "";
        for (var tries = 0; tries < 60 && status != "healthy"; tries++)
        {
            await Task.Delay(TimeSpan.FromSeconds(1)); // Docker's own clock asks every ten seconds
            status =
                (await fixture.DockerAsync("inspect", "--format", "{{.State.Health.Status}}", gateway)).Succeeded();
        }

        Assert.Equal("healthy", status);
    }

    [Fact]
    public async Task Registry_Container_IsReachedThroughTheGatewayOnly()
    {
        foreach (var service in new[] { "registry", "redis" })
        {
            var ports = (await fixture.DockerAsync("port", await fixture.ContainerAsync(service))).Succeeded();
            Assert.Equal("", ports);
        }
    }

    [Fact]
    public async Task DockerPushPull_ThroughTheStack_KeepsTheImage()
    {
        var image = $"{fixture.Stack.Authority}/team-a/stack:1.0";
        (await LoginAsync("alice")).Succeeded();
        await BuildAsync(image);
        var built = (await DockerAsync("image", "inspect", "--format", "{{.Id}}", image)).Succeeded();

        (await DockerAsync("push", image)).Succeeded();
        (await DockerAsync("image", "rm", "--force", image)).Succeeded();
        (await DockerAsync("pull", image)).Succeeded();

        Assert.Equal(built, (await DockerAsync("image", "inspect", "--format", "{{.Id}}", image)).Succeeded());
        (await DockerAsync("image", "rm", "--force", image)).Succeeded();
    }

    [Fact]
    public async Task DockerPush_BeyondTheGrant_IsRefused()
    {
        var image = $"{fixture.Stack.Authority}/team-a/refused:1.0";
        (await LoginAsync("bob")).Succeeded();
        await BuildAsync(image);

        (await DockerAsync("push", image)).FailedWith("denied", "team-a/refused");

        (await DockerAsync("image", "rm", "--force", image)).Succeeded();
    }

    [Fact]
    public async Task Up_SecondTime_ChangesNothing()
    {
        var containers = await Task.WhenAll(new[] { "gateway", "registry", "redis" }.Select(fixture.ContainerAsync));
        var credentials = await File.ReadAllTextAsync(Path.Combine(fixture.Stack.State, "credentials"));

        (await fixture.Stack.UpAsync("--detach")).Succeeded();

        Assert.Equal(
            containers, await Task.WhenAll(new[] { "gateway", "registry", "redis" }.Select(fixture.ContainerAsync)));
        Assert.Equal(credentials, await File.ReadAllTextAsync(Path.Combine(fixture.Stack.State, "credentials")));
    }

    [Fact]
    public async Task Up_WithoutTheSdk_RunsTheCommandInTheImage()
    {
        // A dotnet that fails stands for none.
        await File.WriteAllTextAsync(Path.Combine(_folder, "dotnet"), "#!/bin/sh\nexit 1\n");
        File.SetUnixFileMode(Path.Combine(_folder, "dotnet"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var variables = new Dictionary<string, string?>
        {
            ["PATH"] = $"{_folder}:{Environment.GetEnvironmentVariable("PATH")}",
        };
        // Stand-ins are made with the SDK, so those that the fixture made are named; a pulled image is found anyway.
        foreach (var (name, image) in new[] { ("SDK_IMAGE", "sdk"), ("RUNTIME_IMAGE", "aspnet") })
        {
            if ((await DockerAsync("image", "inspect", $"gateway-local/{image}:10.0")).ExitCode == 0)
            {
                variables[name] = $"gateway-local/{image}:10.0";
            }
        }

        (await fixture.Stack.UpAsync(variables, "--detach")).Succeeded();
        var command = Path.Combine(fixture.Stack.State, "gateway");
        var users = Path.Combine(fixture.Stack.State, "users", "users.htpasswd");
        var list = await Cli.RunAsync(command, ["user", "list", "--file", users], new CliSettings
        {
            Environment = fixture.Stack.Environment,
        });

        Assert.Contains("docker run", await File.ReadAllTextAsync(command), StringComparison.Ordinal);
        Assert.Contains("alice", list.Succeeded(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Readme_RobotToken_MadeWithoutTheSdk_SignsInAtTheStack()
    {
        var readme = await File.ReadAllLinesAsync(Path.Combine(TestPaths.Repository, "README.md"));
        var line = readme.Single(
            static line => line.StartsWith("compose/.state/gateway token create ", StringComparison.Ordinal));

        var secret = (await CommandAsync(line)).Succeeded();

        (await DockerAsync(["login", "--username", "ci-deploy", "--password-stdin", fixture.Stack.Authority], secret))
            .Succeeded();
        Assert.Contains(
            "pipeline", (await CommandAsync("compose/.state/gateway token list")).Succeeded(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Command_InTheImage_PassesInputAndExitCodeOn()
    {
        const string Users = "--file compose/.state/users/users.htpasswd";

        (await CommandAsync($"echo a-long-password | compose/.state/gateway user add carol {Users}")).Succeeded();

        (await CommandAsync($"echo a-long-password | compose/.state/gateway user verify carol {Users}")).Succeeded();
        Assert.Equal(
            1, (await CommandAsync($"echo another | compose/.state/gateway user verify carol {Users}")).ExitCode);
        (await CommandAsync(
            "cd config && compose/.state/gateway policy explain --policies policies user:alice push team-a/app"))
                .Succeeded();
    }

    [Fact]
    public async Task Documentation_CommandsInTheContainer_RunAsPrinted()
    {
        var pages = Directory.EnumerateFiles(
            Path.Combine(TestPaths.Repository, "docs"), "*.md", SearchOption.AllDirectories)
            .Append(Path.Combine(TestPaths.Repository, "README.md"));
        var lines = new List<string>();
        foreach (var page in pages)
        {
            var text = (await File.ReadAllTextAsync(page)).Replace("\\\n", " ", StringComparison.Ordinal);
            lines.AddRange(DockerExec().Matches(text).Select(static match => match.Value.ReplaceLineEndings(" ")));
        }

        Assert.True(lines.Count >= 3, string.Join('\n', lines));
        var container = await fixture.ContainerAsync("gateway");
        foreach (var line in lines)
        {
            Assert.DoesNotContain("--config", line, StringComparison.Ordinal);
            var run = await CommandAsync(line.Replace("CONTAINER", container, StringComparison.Ordinal)
                .Replace("project=registry-gateway", "project=" + fixture.Stack.Project, StringComparison.Ordinal));

            // 3: from inside a container the doctor cannot look at everything, and says so (docs/doctor.md).
            Assert.True(
                run.ExitCode == 0 || (line.Contains("doctor", StringComparison.Ordinal) && run.ExitCode == 3),
                run.Text);
        }
    }

    [Fact]
    public async Task Down_ThenUp_KeepsImagesAndPasswords()
    {
        var image = $"{fixture.Stack.Authority}/team-a/kept:1.0";
        (await LoginAsync("alice")).Succeeded();
        await BuildAsync(image);
        (await DockerAsync("push", image)).Succeeded();
        (await DockerAsync("image", "rm", "--force", image)).Succeeded();

        (await fixture.Stack.DownAsync()).Succeeded();
        Assert.Equal("", await fixture.ContainerAsync("gateway"));
        (await fixture.Stack.UpAsync("--detach")).Succeeded();

        (await DockerAsync("pull", image)).Succeeded();
        (await DockerAsync("image", "rm", "--force", image)).Succeeded();
    }

    private async Task BuildAsync(string image)
    {
        var context = Path.Combine(_folder, "context");
        Directory.CreateDirectory(context);
        await File.WriteAllTextAsync(Path.Combine(context, "file.txt"), $"small {Guid.NewGuid()}\n");
        await File.WriteAllTextAsync(Path.Combine(context, "Dockerfile"), "FROM scratch\nCOPY file.txt /\n");
        (await DockerAsync("build", "--tag", image, context)).Succeeded();
    }

    [GeneratedRegex("docker exec [^`#\n]*")]
    private static partial Regex DockerExec();

    // As printed, where the stack's state lies in another folder than usual and there is no .NET.
    private async Task<CliResult> CommandAsync(string line)
    {
        var dotnet = Path.Combine(_folder, "dotnet");
        if (!File.Exists(dotnet))
        {
            await File.WriteAllTextAsync(dotnet, "#!/bin/sh\nexit 1\n");
            File.SetUnixFileMode(dotnet, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }

        return await Cli.RunAsync(
            "sh", ["-c", line.Replace("compose/.state", fixture.Stack.State, StringComparison.Ordinal)], new CliSettings
            {
                Folder = TestPaths.Repository,
                Environment = new Dictionary<string, string?>(fixture.Stack.Environment)
                {
                    ["PATH"] = $"{_folder}:{Environment.GetEnvironmentVariable("PATH")}",
                },
            });
    }

    private Task<CliResult> LoginAsync(string user) => DockerAsync(
        ["login", "--username", user, "--password-stdin", fixture.Stack.Authority], fixture.Stack.PasswordOf(user));

    private Task<CliResult> DockerAsync(params string[] arguments) => DockerAsync(arguments, input: null);

    private Task<CliResult> DockerAsync(string[] arguments, string? input) =>
        fixture.Engine.DockerAsync(arguments, new CliSettings
        {
            Input = input,
            Environment = new Dictionary<string, string?> { ["DOCKER_CONFIG"] = _folder },
        });
}
