using System.Text.Json;
using Gateway.Commands;
using Gateway.Core.Tokens;
using Gateway.Server.Store.State;
using Gateway.Server.Tokens.Credentials;
using Gateway.Tests.Backup;
using Gateway.Tests.Support;

namespace Gateway.Tests.Commands;

/// <summary><c>gateway user block</c>, <c>unblock</c> and <c>blocked</c> on a real store and file.</summary>
public sealed class UserBlockCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _config;

    public UserBlockCommandTests()
    {
        _folder.Write("users.htpasswd", string.Concat(
            new[] { "alice", "bob" }.Select(static name => $"{name}:{TestUsers.Hash(name + "-password")}\n")));
        _config = _folder.Write("gateway.yaml", """
            publicUrl: https://registry.test
            tls: { certificates: [ { certificate: tls.crt, key: tls.key } ] }
            registries: [ { name: main, upstreams: [ "http://127.0.0.1:5000" ] } ]
            authentication:
              htpasswd: { file: users.htpasswd, minimumCost: 4 }
              ldap: { corp: { servers: [ "ldaps://directory.test" ], userDn: "uid={name},dc=test", names: qualified } }
            policies: policies
            """);
    }

    private string State => Path.Combine(_folder.Path, "state");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Block_ListUnblock_SayWhatWasDone()
    {
        var (code, output, error) = await RunAsync("block", "user:bob", "--reason", "left on 1 March");

        Assert.Equal((0, ""), (code, error));
        Assert.Equal(
            "Blocked user:bob: every gateway of this store refuses them within a second, with any credential. Nothing "
            + "was revoked. To unblock: gateway user unblock user:bob\n",
            output);
        var block = Assert.Single(await BlocksAsync());
        Assert.Equal(("user:bob", "left on 1 March", Environment.UserName), (block.Subject, block.Reason, block.By));
        Assert.Equal([block], new BlockFile(State).Read()!.All);

        (code, output, error) = await RunAsync("blocked");
        Assert.Equal((0, ""), (code, error));
        Assert.Equal(
            [
                "SUBJECT", "SINCE", "UNTIL", "BY", "STATE", "REASON",
                "user:bob", TokenTable.Format(block.At), "-", Environment.UserName, "blocked", "left on 1 March",
            ],
            output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .SelectMany(
                    static line => line.Split(
                        "  ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)));

        (code, output, error) = await RunAsync("unblock", "user:bob");
        Assert.Equal((0, ""), (code, error));
        Assert.Equal(
            "Unblocked user:bob, which was blocked "
                + $"since {TokenTable.Format(block.At)} by {Environment.UserName} (\"left on 1 March\"). "
            + "Tokens that were revoked or have expired are still refused.\n",
            output);
        Assert.Equal((0, "Nobody is blocked.\n", ""), await RunAsync("blocked"));
        Assert.Contains("lifted", (await RunAsync("blocked", "--all")).Output, StringComparison.Ordinal);
        Assert.NotNull(Assert.Single(new BlockFile(State).Read()!.All).LiftedAt);

        (code, output, error) = await RunAsync("unblock", "user:bob");
        Assert.Equal((1, ""), (code, output));
        Assert.StartsWith("user:bob is not blocked any more, since ", error, StringComparison.Ordinal);
        Assert.EndsWith(", so nothing was changed. Nobody is blocked.\n", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Block_Again_ReplacesItAndSaysSo()
    {
        await RunAsync("block", "user:bob", "--reason", "first");

        var (code, output, _) = await RunAsync("block", "user:bob", "--reason", "second", "--until", "2d");

        Assert.Equal(0, code);
        Assert.StartsWith("user:bob was blocked already, since ", output, StringComparison.Ordinal);
        Assert.Contains("(\"first\"). The new block replaces that one.\n", output, StringComparison.Ordinal);
        var block = Assert.Single(await BlocksAsync());
        Assert.Equal("second", block.Reason);
        Assert.Equal(block.At.AddDays(2), block.Until);
        Assert.Contains(
            $"Blocked user:bob until {TokenTable.Format(block.Until!.Value)}: ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Block_NameThatMayBeSeveral_ListsThemAndChangesNothing()
    {
        await AddTokenAsync("corp/alice");

        var (code, output, error) = await RunAsync("block", "alice");

        Assert.Equal((1, ""), (code, output));
        Assert.Equal(
            "\"alice\" is ambiguous, so nothing was changed. Known: user:alice, user:corp/alice. Write one of these "
                + "names in full.\n", error);
        Assert.Empty(await BlocksAsync());
        Assert.False(File.Exists(Path.Combine(State, "blocked.json")));

        // One of them, whole; and the one that alone is called so.
        Assert.Equal(0, (await RunAsync("block", "corp/alice")).Code);
        Assert.Equal(0, (await RunAsync("block", "bob")).Code);
        Assert.Equal(["user:bob", "user:corp/alice"], (await BlocksAsync()).Select(static one => one.Subject));
    }

    [Fact]
    public async Task Unblock_NameThatMayBeSeveral_ListsThemAndChangesNothing()
    {
        await RunAsync("block", "user:corp/alice");
        await RunAsync("block", "robot:alice");

        var (code, output, error) = await RunAsync("unblock", "alice");

        Assert.Equal((1, ""), (code, output));
        Assert.Equal(
            "\"alice\" may mean several subjects, so nothing was changed. Known: robot:alice, user:corp/alice.\n",
            error);
        Assert.All(await BlocksAsync(), static one => Assert.Null(one.LiftedAt));
        Assert.Equal(0, (await RunAsync("unblock", "corp/alice")).Code);
        Assert.Equal(0, (await RunAsync("unblock", "alice")).Code); // the one that is left
        Assert.All(await BlocksAsync(), static one => Assert.NotNull(one.LiftedAt));
    }

    [Theory]
    [InlineData("bo")]
    [InlineData("ALICE2")]
    [InlineData("Bob")]
    public async Task Block_PlainNameOfNobody_ChangesNothing(string name)
    {
        var (code, output, error) = await RunAsync("block", name);

        Assert.Equal((1, ""), (code, output));
        Assert.Contains("so nothing was changed", error, StringComparison.Ordinal);
        Assert.Empty(await BlocksAsync());
    }

    [Fact]
    public async Task Block_SubjectThatNobodyKnowsHere_IsDoneAndSaysSo()
    {
        var (code, output, error) = await RunAsync("block", "user:corp/alice");

        Assert.Equal(0, code);
        Assert.StartsWith("Blocked user:corp/alice: ", output, StringComparison.Ordinal);
        Assert.Equal(
            "No user:corp/alice is known here; the block is for exactly that name. (A directory's users are known "
            + "here once they have a token.) Known: user:alice.\n",
            error);
    }

    [Theory]
    [InlineData(
        "SUBJECT: this is not a subject (found \"anonymous:\"). Write user:NAME, robot:NAME or workload:ISSUER/NAME.",
        "anonymous:")]
    [InlineData(
        "SUBJECT: this is not a subject (found \"group:devs\"). Write user:NAME, robot:NAME or workload:ISSUER/NAME.",
        "group:devs")]
    [InlineData(
        "--until: this time has passed (found \"2020-01-01\"). Give a time in the future.", "user:bob", "--until",
        "2020-01-01")]
    [InlineData(
        "--until: this is not a time (found \"soon\"). Write 2026-12-24T18:00:00Z, 2026-12-24, or how long from now: "
            + "12h, 7d.", "user:bob", "--until", "soon")]
    [InlineData(
        "--until: this is not a time (found \"\"). Write 2026-12-24T18:00:00Z, 2026-12-24, or how long from now: 12h, "
            + "7d.", "user:bob", "--until", "")]
    [InlineData(
        "--reason: holds a line break or another control character. Write one line of at most 200 characters.",
        "user:bob", "--reason", "a\nb")]
    [InlineData(
        "--file: blocks are in the configuration's store, not in an htpasswd file. Leave this option out.", "user:bob",
        "--file", "users")]
    public async Task Block_WhatCannotBe_IsRefusedWithTheRightWay(string message, params string[] arguments)
    {
        Assert.Equal((78, "", message + "\n"), await RunAsync(["block", .. arguments]));
        Assert.Empty(await BlocksAsync());
    }

    [Fact]
    public async Task Block_SomebodyWhoMadeRobotTokens_NamesTheRobotsThatGoOn()
    {
        await AddTokenAsync("ci-deploy", isRobot: true, by: "user:bob");
        await AddTokenAsync("ci-ended", isRobot: true, by: "user:bob", isRevoked: true);
        await AddTokenAsync("ci-blocked", isRobot: true, by: "user:bob");
        await AddTokenAsync("ci-of-others", isRobot: true, by: "user:alice");
        await RunAsync("block", "robot:ci-blocked");

        var (_, output, _) = await RunAsync("block", "bob");

        Assert.EndsWith(
            "\nRobots for which user:bob created tokens still work: ci-deploy. To block one: gateway user block "
            + "robot:ci-deploy; to revoke its tokens: gateway token revoke --all-of robot:ci-deploy\n",
            output.Replace("robot:ci-deploy. To", "ci-deploy. To", StringComparison.Ordinal),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Block_IsInTheAuditTrail_AndFoundThere()
    {
        await RunAsync("block", "user:bob", "--reason", "ticket 17", "--until", "7d");
        await RunAsync("unblock", "user:bob");

        var (code, output, error) = await RunAsync(["audit", "search", "--operation", "block", "--json"]);
        Assert.True(code == 0, error);
        var line = JsonDocument.Parse(output.Split('\n')[0]).RootElement;
        Assert.Equal(
            ("credential", "block", "operator", "user:bob", "ticket 17"),
            (line.Text("event"), line.Text("action"), line.Text("by"), line.Text("owner"), line.Text("reason")));
        Assert.True(line.TryGetProperty("until", out _));

        (_, output, _) = await RunAsync(["audit", "search", "--subject", "bob"]);
        Assert.Contains("user:bob until ", output, StringComparison.Ordinal);
        Assert.Contains(": ticket 17", output, StringComparison.Ordinal);
        (code, output, _) = await RunAsync(["audit", "search", "--operation", "user unblock", "--json"]);
        line = JsonDocument.Parse(output.Split('\n')[0]).RootElement;
        Assert.Equal((0, "command", "user:bob"), (code, line.Text("event"), line.Text("target")));
    }

    [Fact]
    public async Task Block_FileThatIsNotUnderstood_IsInTheStoreAndSaysSo()
    {
        _folder.Write("state/blocked.json", "{");

        var (code, output, error) = await RunAsync("block", "user:bob");

        Assert.Equal(1, code);
        Assert.StartsWith("Blocked user:bob", output, StringComparison.Ordinal);
        Assert.Contains("blocked.json: the list of blocked subjects cannot be read", error, StringComparison.Ordinal);
        Assert.Single(await BlocksAsync());
        Assert.Equal("{", await File.ReadAllTextAsync(Path.Combine(State, "blocked.json")));
        Assert.Contains("user:bob", (await RunAsync("blocked")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Block_StoreThatLostIt_IsKnownFromTheFile()
    {
        await RunAsync("block", "user:bob");
        File.Delete(Path.Combine(State, "gateway.db"));

        Assert.Contains("user:bob", (await RunAsync("blocked")).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync("unblock", "bob")).Code);
        Assert.NotNull(Assert.Single(await BlocksAsync()).LiftedAt);
    }

    [Fact]
    public async Task Blocked_Json_IsTheRecords()
    {
        await RunAsync("block", "user:bob", "--reason", "r");

        var (_, output, _) = await RunAsync("blocked", "--json");

        var one = Assert.Single(JsonDocument.Parse(output).RootElement.EnumerateArray());
        Assert.Equal(("user:bob", "r"), (one.Text("subject"), one.Text("reason")));
    }

    [Fact]
    public async Task Block_InRedis_IsKeptThere()
    {
        await using var redis = await RedisServer.StartAsync("--appendfsync", "always");
        await File.AppendAllTextAsync(
            _config, $"\nstate: {{ store: redis }}\nredis: {{ server: \"{redis.Options.Server}\", timeout: 5s }}\n");

        Assert.Equal(0, (await RunAsync("block", "bob")).Code);

        Assert.Contains(
            "user:bob", await redis.CommandAsync("HGET", "gateway:blocks", "user:bob"), StringComparison.Ordinal);
        Assert.Contains("user:bob", (await RunAsync("blocked")).Output, StringComparison.Ordinal);
        await redis.KillAsync();
        var (code, output, error) = await RunAsync("block", "user:alice");
        Assert.Equal((1, ""), (code, output));
        Assert.Contains("redis", error, StringComparison.OrdinalIgnoreCase);
    }

    private async Task<IReadOnlyList<SubjectBlock>> BlocksAsync()
    {
        await using var store = SqliteCredentialStore.Open(State);
        return [
            .. (await store.ReadBlocksAsync("", default)).Blocks!.OrderBy(
                static one => one.Subject, StringComparer.Ordinal),
        ];
    }

    private async Task AddTokenAsync(string owner, bool isRobot = false, string by = "operator", bool isRevoked = false)
    {
        await using var store = SqliteCredentialStore.Open(State);
        var token = NewToken(owner, isRobot, by);
        await store.AddAsync(token, default);
        if (isRevoked)
        {
            await store.RevokeAsync(token.Id, TimeProvider.System.GetUtcNow(), default);
        }
    }

    private static StoredCredential NewToken(string owner, bool isRobot, string by) =>
        BackupFolder.NewToken(Guid.NewGuid().ToString("N")) with
        {
            Kind = isRobot ? CredentialKind.Robot : CredentialKind.Personal,
            Owner = isRobot ? CredentialOwner.Robot(owner) : CredentialOwner.User(owner),
            CreatedBy = by,
        };

    private async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var result = GatewayCommand.Create().Parse(
            arguments[0] == "audit"
                ? [.. arguments, "--config", _config]
                : ["user", .. arguments, "--config", _config]);
        result.InvocationConfiguration.Output = output;
        result.InvocationConfiguration.Error = error;
        return (await result.InvokeAsync(), output.ToString(), error.ToString());
    }
}
