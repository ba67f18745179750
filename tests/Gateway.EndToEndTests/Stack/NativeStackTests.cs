using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Xml.Linq;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Stack;

/// <summary>The stack as plain processes.</summary>
[Collection(SharedMachine.Name)]
[Trait(SharedMachine.Trait, SharedMachine.Value)]
[SuppressMessage("Design", "CA1001", Justification = "xUnit calls IAsyncLifetime.DisposeAsync")]
public sealed class NativeStackTests : IAsyncLifetime
{
    private readonly ComposeStack _stack = new("localhost", "127.0.0.1", dockerHost: null);
    private readonly TestImage _image = TestImage.Create(size: 1024);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _stack.DisposeAsync();
        _image.Dispose();
    }

    [Fact]
    public async Task UpAndDown_Detached_StartsServesStopsAndKeepsTheData()
    {
        (await _stack.UpAsync("--native", "--detach")).Succeeded();
        await CopyAsync("alice", $"oci:{_image.OciLayout}:latest", Remote);
        var gateway = _stack.ProcessIdOf("gateway");

        // The doctor, as the README has it, finds the stack well.
        var doctor = await Cli.RunAsync(
            "sh",
            ["-c", $". {_stack.State}/env; {_stack.State}/gateway doctor --config config/gateway.yaml "
                + $"--ca {_stack.State}/ca.crt"], new CliSettings { Folder = TestPaths.Repository });
        Assert.Contains("0 errors, 0 warnings, 0 not run", doctor.Succeeded(), StringComparison.Ordinal);

        // Started twice, it is the same stack.
        (await _stack.UpAsync("--native", "--detach")).Succeeded();
        Assert.Equal(gateway, _stack.ProcessIdOf("gateway"));
        var version = XDocument.Load(Path.Combine(TestPaths.Repository, "Directory.Build.props"))
            .Descendants("Version")
            .Single().Value;
        Assert.Contains(
            version, (await Cli.RunAsync(Path.Combine(_stack.State, "gateway"), ["--version"])).Succeeded(),
            StringComparison.Ordinal);

        (await _stack.DownAsync()).Succeeded();
        foreach (var port in new[] { _stack.Port, _stack.ManagementPort, _stack.RegistryPort, _stack.RedisPort })
        {
            Assert.False(await ListensAsync(port));
        }

        (await _stack.UpAsync("--native", "--detach")).Succeeded();
        var copy = Path.Combine(_image.BuildContext, "copy");
        await CopyAsync("bob", Remote, $"oci:{copy}:latest");
        Assert.Equal(TestImage.BlobsOf(_image.OciLayout), TestImage.BlobsOf(copy));

        (await _stack.DownAsync("--purge")).Succeeded();
        Assert.False(Directory.Exists(_stack.State));
    }

    [Fact]
    public async Task Up_InTheForeground_StopsEverythingOnInterrupt()
    {
        var start = new ProcessStartInfo(Path.Combine(TestPaths.Repository, "compose", "up"), ["--native"]);
        foreach (var (name, value) in _stack.Environment)
        {
            start.Environment[name] = value;
        }

        await using var up = ServerProcess.Start(
            "compose-up", start, Path.Combine(_stack.State, "up.log"), grace: TimeSpan.FromSeconds(60));
        await up.WaitUntilReadyAsync(
            () => Task.FromResult(up.Log.Contains("Ctrl-C stops everything", StringComparison.Ordinal)),
            TimeSpan.FromMinutes(5));
        Assert.True(await ListensAsync(_stack.Port));

        await up.SignalAsync("INT");
        await up.WaitForExitAsync();

        Assert.Equal(0, up.ExitCode);
        foreach (var port in new[] { _stack.Port, _stack.ManagementPort, _stack.RegistryPort, _stack.RedisPort })
        {
            Assert.False(await ListensAsync(port));
        }

        File.Delete(Path.Combine(_stack.State, "up.log"));
    }

    [Fact]
    public async Task Up_PortTaken_SaysWhichAndStartsNothing()
    {
        using var other = new TcpListener(IPAddress.Loopback, _stack.Port);
        other.Start();

        var up = await _stack.UpAsync("--native", "--detach");

        up.FailedWith($"port {_stack.Port} is taken", $"listens on 127.0.0.1:{_stack.Port}", "GATEWAY_PORT=");
        Assert.False(await ListensAsync(_stack.RegistryPort));
        Assert.False(await ListensAsync(_stack.RedisPort));
    }

    [Fact]
    public async Task Down_ProcessIdNowOfAnother_LeavesItAlone()
    {
        using var stranger = Process.Start(new ProcessStartInfo("sleep", ["300"]))!;
        Directory.CreateDirectory(Path.Combine(_stack.State, "run"));
        var boot = (await File.ReadAllTextAsync("/proc/sys/kernel/random/boot_id")).Trim();
        await File.WriteAllTextAsync(
            Path.Combine(_stack.State, "run", "gateway.pid"),
            string.Create(CultureInfo.InvariantCulture, $"{stranger.Id} 1 {boot}\n"));
        try
        {
            (await _stack.DownAsync()).Succeeded();

            Assert.False(stranger.HasExited);
        }
        finally
        {
            stranger.Kill();
        }
    }

    [Fact]
    public async Task Up_UnknownOption_NamesTheOptions()
    {
        (await _stack.UpAsync("--nativ")).FailedWith("there is no such option", "--nativ", "--native");
    }

    private string Remote => $"docker://{_stack.Authority}/team-a/native:1.0";

    // Trusts what the script's own message names: the state's folder as certificate folder.
    private async Task CopyAsync(string user, string from, string to)
    {
        var side = to.StartsWith("docker:", StringComparison.Ordinal) ? "dest" : "src";
        (await Cli.RunAsync("skopeo", [
            "copy", $"--{side}-cert-dir", _stack.State, $"--{side}-creds", $"{user}:{_stack.PasswordOf(user)}", from,
            to,
        ])).Succeeded();
    }

    private static async Task<bool> ListensAsync(int port)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
