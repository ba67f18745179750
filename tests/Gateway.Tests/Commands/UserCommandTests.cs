using System.Text;
using Gateway.Commands;
using Gateway.Tests.Server.SignIn.Authentication;
using Gateway.Tests.Support;

namespace Gateway.Tests.Commands;

public sealed class UserCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-user-").FullName;

    private string Users => Path.Combine(_folder, "users.htpasswd");

    [Fact]
    public void Add_ListVerifyRemove_GoTogether()
    {
        Assert.Equal(new ToolResult(0, $"Added alice to {Users}.\n", ""), Gateway("secret\n", "add", "alice"));
        Assert.Equal(
            new ToolResult(0, $"Added bob to {Users}.\n", ""),
            Gateway("hunter2\r\n", "add", "--scheme", "yescrypt", "--cost", "3", "bob"));
        Assert.Equal(new ToolResult(0, "alice  bcrypt       10\nbob    yescrypt     3\n", ""), Gateway("", "list"));
        Assert.Equal(new ToolResult(0, "This is the password of alice.\n", ""), Gateway("secret", "verify", "alice"));
        Assert.Equal(new ToolResult(0, "This is the password of bob.\n", ""), Gateway("hunter2", "verify", "bob"));
        Assert.Equal(
            new ToolResult(1, "This is not the password of alice.\n", ""), Gateway("Secret", "verify", "alice"));
        Assert.Equal(0, Tool.Run("htpasswd", "", "-vb", Users, "alice", "secret").ExitCode); // Apache reads it too

        Assert.Equal(
            new ToolResult(0, $"Changed the password of alice in {Users}.\n", ""),
            Gateway("changed", "add", "alice", "--cost", "8"));
        Assert.Equal(1, Gateway("secret", "verify", "alice").ExitCode);
        Assert.Equal(0, Gateway("changed", "verify", "alice").ExitCode);
        var removed = Gateway("", "remove", "alice");
        Assert.Equal(0, removed.ExitCode);
        Assert.StartsWith(
            $"Removed alice from {Users}. Tokens of user:alice are refused", removed.Output, StringComparison.Ordinal);
        Assert.EndsWith("gateway token revoke --all-of user:alice\n", removed.Output, StringComparison.Ordinal);
        Assert.Equal(new ToolResult(0, "bob  yescrypt     3\n", ""), Gateway("", "list"));
    }

    [Theory]
    [InlineData("secret", "#alice", "NAME: this is not a user name (found \"#alice\").")]
    [InlineData("secret", "ali:ce", "NAME: this is not a user name (found \"ali:ce\").")]
    [InlineData("", "alice", "password: the password is empty.")]
    [InlineData("\n", "alice", "password: the password is empty.")]
    [InlineData("secret\n\n", "alice", "password: the password holds a control character or a line break.")]
    [InlineData(
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "alice",
        "password: the password has 73 bytes, and bcrypt reads only 72.")]
    public void Add_BadNameOrPassword_SaysWhatAndWritesNothing(string password, string name, string message)
    {
        var result = Gateway(password, "add", name);
        Assert.Equal(78, result.ExitCode);
        Assert.StartsWith(message, result.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Users));
    }

    [Theory]
    [InlineData("*0")]
    [InlineData("*1")]
    public void ListAndVerify_MarkOfAFailedHash_SayWhatItIs(string mark)
    {
        File.WriteAllText(Users, $"alice:{mark}\n");
        var said = $"{Users}:1: alice: not a hash, but crypt's mark that hashing failed (htpasswd -5 -r 999 writes it "
            + $"and reports no error) (found \"{mark}\"). Set the password again: gateway user add "
            + $"--file {Users} alice.\n";

        Assert.Equal(new ToolResult(78, "", said), Gateway("", "list"));
        Assert.Equal(new ToolResult(78, "", said), Gateway("secret", "verify", "alice"));
        Assert.Equal(0, Gateway("secret", "add", "alice").ExitCode);
        Assert.Equal(0, Gateway("secret", "verify", "alice").ExitCode);
    }

    [Fact]
    public void Add_CostThatTheGatewayRefuses_IsRefusedHereToo()
    {
        var result = Gateway("secret", "add", "--cost", "4", "alice");
        Assert.Equal(
            new ToolResult(
                78, "",
                "--cost: out of range for bcrypt (found \"4\"). Give a cost from 8 to 14, which the gateway accepts.\n"),
            result);
    }

    [Fact]
    public void Add_FileWithALineTheGatewayRefuses_MendsOneAndTellsTheOther()
    {
        File.WriteAllText(Users, "alice:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\nbob:plain\n");
        var result = Gateway("secret", "add", "alice");
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(
            "With its usual settings the gateway refuses the file because of other lines:\n"
            + $"{Users}:2: bob: password in plain text, which is not accepted. Set the password again: gateway user "
            + $"add --file {Users} bob.\n",
            result.Error);
        Assert.Equal(
            new ToolResult(0, $"Changed the password of bob in {Users}.\n", ""), Gateway("secret", "add", "bob"));
    }

    [Fact]
    public void Remove_FileThatTheRunningGatewayRefuses_SaysThatItIsNotInForce()
    {
        var config = Path.Combine(_folder, "gateway.yaml");
        File.WriteAllText(config, """
            publicUrl: https://registry.test
            tls: { certificates: [ { certificate: tls.crt, key: tls.key } ] }
            registries: [ { name: main, upstreams: [ "http://127.0.0.1:5000" ] } ]
            authentication: { htpasswd: { file: users.htpasswd, minimumCost: 4 } }
            policies: policies
            """);
        File.WriteAllText(Users, $"alice:{TestUsers.Hash("secret")}\nbob:plain\ncarol:{TestUsers.Hash("secret")}\n");

        var result = Tool.RunGateway("", ["user", "remove", "alice", "--config", config]);

        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith($"Removed alice from {Users}.", result.Output, StringComparison.Ordinal);
        Assert.Equal(
            "The change is in the file but NOT in force: a running gateway uses the previous users until these lines "
            + $"are corrected:\n{Users}:1: bob: password in plain text, which is not accepted. Set the password again: "
            + $"gateway user add --file {Users} bob.\n",
            result.Error);

        Assert.Equal(0, Tool.RunGateway("", ["user", "remove", "bob", "--config", config]).ExitCode);
        Assert.Equal(78, Tool.RunGateway("", ["user", "remove", "bob", "--config", config]).ExitCode); // there is none
    }

    [Fact]
    public void List_LineTheGatewayRefuses_IsToldWithoutTheHash()
    {
        File.WriteAllText(Users, "alice:plain\n");
        var result = Gateway("", "list");
        Assert.Equal(78, result.ExitCode);
        Assert.DoesNotContain("plain\n", result.Output + result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("remove")]
    [InlineData("verify")]
    public void RemoveAndVerify_UnknownUser_SaysSo(string command)
    {
        File.WriteAllText(Users, "");
        var result = Gateway("secret", command, "alice");
        Assert.Equal(78, result.ExitCode);
        Assert.Equal(
            $"{Users}: no such user (found \"alice\"). List the exact names, with upper and lower case: gateway user "
                + "list.\n", result.Error);
    }

    [Fact]
    public void Add_KilledWhileItWrites_LeavesTheOldFileOrTheNewOne()
    {
        // Long enough for the kill to fall into the writing.
        var others = string.Concat(Enumerable.Range(0, 100_000).Select(i => $"# comment line number {i}\n"));
        File.WriteAllText(Users, others);
        var temporary = Path.Combine(_folder, ".users.htpasswd.tmp");
        for (var i = 0; i < 8; i++)
        {
            var before = File.ReadAllText(Users);
            using var process = Tool.Start(
                "dotnet", typeof(GatewayCommand).Assembly.Location, "user", "add", "--file", Users, "--cost", "8",
                $"user{i}");
            process.StandardInput.Write("secret");
            process.StandardInput.Close();
            while (!process.HasExited && !File.Exists(temporary))
            {
                Thread.Yield();
            }

            process.Kill();
            process.WaitForExit();
            var after = File.ReadAllText(Users);
            Assert.StartsWith(before, after, StringComparison.Ordinal);
            Assert.True(
                after.Length == before.Length
                    || after[before.Length..].StartsWith($"user{i}:$2y$08$", StringComparison.Ordinal));
            Assert.EndsWith("\n", after, StringComparison.Ordinal);
        }

        Assert.Equal(0, Gateway("secret", "add", "last").ExitCode);
        Assert.False(File.Exists(temporary));
    }

    [Fact]
    public async Task Add_AtATerminal_AsksTwiceAndShowsNothing()
    {
        var command = $"dotnet {typeof(GatewayCommand).Assembly.Location} user add --file {Users} alice";
        using var process = Tool.Start("script", "-qec", command, "/dev/null");
        var screen = new StringBuilder();
        await ReadUntil("New password for alice: ");
        await process.StandardInput.WriteAsync("secrex\u007ft\r"); // with a slip, mended by backspace
        await process.StandardInput.FlushAsync();
        await ReadUntil("Repeat the password: ");
        await process.StandardInput.WriteAsync("secret\r");
        await process.StandardInput.FlushAsync();
        await ReadUntil("Added alice");
        process.StandardInput.Close();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.DoesNotContain("ecre", screen.ToString(), StringComparison.Ordinal);
        Assert.Equal(0, Gateway("secret", "verify", "alice").ExitCode);

        async Task ReadUntil(string text)
        {
            var buffer = new char[256];
            while (!screen.ToString().Contains(text, StringComparison.Ordinal))
            {
                var count = await process.StandardOutput.ReadAsync(buffer.AsMemory())
                    .AsTask()
                    .WaitAsync(TimeSpan.FromSeconds(60));
                Assert.True(count > 0, $"the terminal closed after: {screen}");
                screen.Append(buffer, 0, count);
            }
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private ToolResult Gateway(string input, string command, params string[] arguments) =>
        Tool.RunGateway(input, ["user", command, "--file", Users, .. arguments]);
}
