using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Gateway.Commands;
using Gateway.Server.Records.Audit;
using Gateway.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Commands;

/// <summary><c>gateway audit</c>: what it finds, shows and says.</summary>
public sealed partial class AuditCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _file;

    public AuditCommandTests()
    {
        _folder.Write("audit-20261125T000000000Z.jsonl", """
            {"v":1,"time":"2026-11-25T10:00:00.000Z","event":"registry","phase":"end","requestId":"r1","decision":"allow","subject":"user:alice","signIn":{"form":"password","outcome":"accepted","userName":"alice","method":"htpasswd"},"address":"10.0.0.7","method":"PUT","operation":"putManifest","registry":"main","repository":"team-a/app","reference":"v1","digest":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","rule":{"name":"team-a writes","file":"a.yaml","line":3},"status":201,"bytesIn":500,"bytesOut":0,"durationMs":12.5,"userAgent":"docker/27"}

            """);
        _file = _folder.Write("audit.jsonl", """
            {"v":1,"time":"2026-11-26T10:00:00.000Z","event":"registry","phase":"end","requestId":"r2","decision":"deny","subject":"user:bob","address":"192.168.1.9","method":"DELETE","operation":"deleteManifest","repository":"team-a/app","reference":"v1","rule":{"name":"release tags are immutable","file":"a.yaml","line":9},"error":{"code":"DENIED","message":"no"},"status":403,"bytesIn":0,"bytesOut":120,"durationMs":1}
            {"v":1,"time":"2026-11-26T11:00:00.000Z","event":"token","phase":"end","requestId":"r3","decision":"challenge","signIn":{"form":"password","outcome":"refused","userName":"admin","reason":"wrong password"},"address":"203.0.113.5","method":"GET","operation":"token","status":401,"bytesIn":0,"bytesOut":90,"durationMs":80}
            {"v":1,"time":"2026-11-26T12:00:00.000Z","event":"registry","phase":"begin","requestId":"r4","decision":"allow","subject":"user:alice","address":"10.0.0.7","method":"GET","operation":"readManifest","repository":"team-b/x","reference":"v2"}
            {"v":1,"time":"2026-11-26T12:00:00.000Z","event":"registry","phase":"end","requestId":"r4","decision":"allow","subject":"user:alice","address":"10.0.0.7","method":"GET","operation":"readManifest","repository":"team-b/x","reference":"v2","status":200,"bytesIn":0,"bytesOut":5,"durationMs":2}
            {"v":1,"time":"2026-11-26T13:00:00.000Z","event":"credential","action":"create","by":"user:alice","owner":"robot:ci","credential":"c1","kind":"robot","name":"ci","expiresAt":"2027-01-01T00:00:00.000Z","scopes":["**:pull"]}
            {"v":1,"time":"2026-11-26T14:00:00.000Z","event":"reload","source":"htpasswd","outcome":"applied","changes":[{"of":"users","added":{"count":1,"names":["carol"]}}]}
            {"v":1,"time":"2026-11-26T15:00:00.000Z","event":"registry","phase":"begin","requestId":"r5","decision":"allow","subject":"user:eve\u202e","address":"::1","method":"PUT","operation":"putManifest","repository":"team-a/app","reference":"v3"}

            """);
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("r1 r2 r3 r4 c1 htpasswd r5")]
    [InlineData("r1 c1 r4", "--subject", "user:alice")]
    [InlineData("r1 c1 r4", "--subject", "alice")]
    [InlineData("c1", "--subject", "robot:ci")]
    [InlineData("r1 r2 r5", "--repository", "team-a/*")]
    [InlineData("r1 r5", "--operation", "putManifest")]
    [InlineData("r1 r2 r5", "--repository", "team-a/app", "--operation", "*Manifest")]
    [InlineData("r2", "--decision", "deny")]
    [InlineData("r2", "--rule", "release*")]
    [InlineData("r2 r3", "--status", "4xx")]
    [InlineData("r1", "--status", "201")]
    [InlineData("r1 r4", "--address", "10.0.0.0/8")]
    [InlineData("r3", "--address", "203.0.113.5")]
    [InlineData("r4", "--request-id", "r4")]
    [InlineData("c1", "--event", "credential")]
    [InlineData("r3", "--user-name", "admin")]
    [InlineData("r3", "--outcome", "refused")]
    [InlineData("c1", "--credential", "c1")]
    [InlineData("r1", "--reference", "sha256:aaaa*")]
    [InlineData("c1 htpasswd r5", "--since", "2026-11-26T13:00:00Z")]
    [InlineData("r1", "--until", "2026-11-26")]
    [InlineData("r2 r3", "--since", "2026-11-26", "--until", "2026-11-26T12:00:00Z")]
    [InlineData("r1 r2", "--limit", "2")]
    public async Task Search_WithFilters_FindsOverAllFiles(string expected, params string[] options)
    {
        var (code, output, error) = await RunAsync(["audit", "search", _file, "--json", .. options]);

        Assert.Equal((0, ""), (code, error));
        Assert.Equal(
            expected.Split(' ').Order(StringComparer.Ordinal),
            output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(NameOf).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Search_AsATable_IsReadableAndHarmless()
    {
        var (_, output, _) = await RunAsync("audit", "search", _file);

        Assert.Equal("""
            TIME                      EVENT       DECISION   SUBJECT               ADDRESS          OPERATION       WHAT
            2026-11-25T10:00:00.000Z  registry    allow      user:alice            10.0.0.7         putManifest     team-a/app:v1@sha256:aaaaaaaaaaaa  201  in 500  by rule team-a writes
            2026-11-26T10:00:00.000Z  registry    deny       user:bob              192.168.1.9      deleteManifest  team-a/app:v1  403  out 120  by rule release tags are immutable  DENIED: no
            2026-11-26T11:00:00.000Z  token       challenge  (admin)               203.0.113.5      token           401  out 90
            2026-11-26T12:00:00.000Z  registry    allow      user:alice            10.0.0.7         readManifest    team-b/x:v2  200  out 5
            2026-11-26T13:00:00.000Z  credential  -          user:alice            -                create          robot token c1 of robot:ci
            2026-11-26T14:00:00.000Z  reload      -          -                     -                htpasswd        users added: carol
            2026-11-26T15:00:00.000Z  registry    allow      user:eve\u202E        ::1              putManifest     team-a/app:v3  no end recorded

            """, output);
    }

    [Theory]
    [InlineData(
        "--since", "yesterday",
        "--since: this is not a time (found \"yesterday\"). Write 2026-11-26T15:57:00Z, 2026-11-26, or how long ago: "
            + "2h.\n")]
    [InlineData(
        "--address", "10.0.0.300",
        "--address: this is neither an address nor a network (found \"10.0.0.300\"). Write 10.0.0.7 or 10.0.0.0/8.\n")]
    [InlineData("--status", "2x", "--status: this is not an HTTP status (found \"2x\"). Write 404 or 4xx.\n")]
    [InlineData(
        "--decision", "denied",
        "--decision: no audit line can have this value (found \"denied\"). Known: allow, deny, challenge, limit, "
            + "refuse, error, public.\n")]
    [InlineData(
        "--event", "regisrty",
        "--event: no audit line can have this value (found \"regisrty\"). Did you mean \"registry\"?\n")]
    [InlineData(
        "--operation", "putManifests",
        "--operation: no audit line can have this value (found \"putManifests\"). Did you mean \"putManifest\"?\n")]
    [InlineData(
        "--operation", "push",
        "--operation: no audit line can have this value (found \"push\"). A push ends with putManifest, a pull begins "
            + "with readManifest. Known: ping, listCatalog, listTags, listReferrers, readManifest, putManifest, "
            + "deleteManifest, readBlob, deleteBlob, startUpload, readUpload, appendUpload, completeUpload, "
            + "cancelUpload, token, listTokens, createToken, showToken, revokeToken, rotateToken, signIn, signOut, "
            + "approveDevice, beginDevice, signInDevice, endSessions, showPage, create, revoke, revokeAll, rotate, "
            + "exchange, block, unblock, token create, token revoke, token rotate, user add, user remove, user block, "
            + "user unblock, user reload --accept, identity forget, keys rotate, keys retire, limits reset, backup.\n")]
    [InlineData(
        "--outcome", "acepted",
        "--outcome: no audit line can have this value (found \"acepted\"). Did you mean \"accepted\"?\n")]
    public async Task Search_WithAValueThatIsNone_SaysSo(string option, string value, string expected)
    {
        Assert.Equal((78, "", expected), await RunAsync("audit", "search", _file, option, value));
    }

    // The schema is what is written (AuditSchemaTests).
    [Theory]
    [InlineData("--event", "/properties/event/enum")]
    [InlineData("--decision", "/$defs/request/properties/decision/enum")]
    [InlineData("--operation", "/$defs/credential/properties/action/enum")]
    [InlineData("--outcome", "/$defs/request/properties/signIn/properties/outcome/enum")]
    [InlineData("--outcome", "/$defs/reload/properties/outcome/enum")]
    public async Task Search_EachWordOfTheSchema_IsKnown(string option, string place)
    {
        var schema = JsonNode.Parse(await File.ReadAllTextAsync(RepositoryRoot.PathOf("docs", "audit.schema.json")))!;
        var words = place.Split('/').Skip(1).Aggregate(schema, static (node, name) => node[name]!).AsArray();

        Assert.NotEmpty(words);
        foreach (var word in words)
        {
            Assert.Equal((0, ""), await ErrorOfAsync(option, word!.GetValue<string>()));
        }
    }

    [Fact]
    public async Task Search_EachOperationOfASurface_IsKnown()
    {
        var source = await File.ReadAllTextAsync(
            RepositoryRoot.PathOf("src", "Gateway.Server", "Records", "Audit", "AuditSurface.cs"));
        var words = SurfaceOperation().Matches(source).Select(static match => match.Groups[1].Value).ToList();

        Assert.Contains("token", words); // the three ways in which the source writes them
        Assert.Contains("listTokens", words);
        Assert.Contains("signIn", words);
        foreach (var word in words)
        {
            Assert.Equal((0, ""), await ErrorOfAsync("--operation", word));
        }
    }

    // A new command is put into one of the two lists: it is recorded, or it changes nothing that the gateway goes by.
    [Fact]
    public async Task Search_EachCommandThatIsRecorded_IsKnown()
    {
        string[] unrecorded =
        [
            "serve", "healthcheck", "dev-cert", "restore", "trust", "login", "logout", "credential-helper",
            "token list", "user list", "user verify", "user reload", "user blocked", "identity list",
            "keys list", "keys export", "keys probe", "limits show",
        ];
        var unknown = new List<string>();
        foreach (var word in Leaves(GatewayCommand.Create(), "")
            .Where(static word => word.Split(' ')[0] is not ("audit" or "config" or "doctor" or "policy")))
        {
            if (await ErrorOfAsync("--operation", word) is not (0, "") && !unrecorded.Contains(word))
            {
                unknown.Add(word);
            }
        }

        Assert.Empty(unknown);
        Assert.Equal((0, ""), await ErrorOfAsync("--operation", "user reload --accept"));

        static IEnumerable<string> Leaves(Command command, string above) => command.Subcommands.SelectMany(sub =>
            sub.Subcommands.Count == 0 ? [above + sub.Name] : Leaves(sub, above + sub.Name + " "));
    }

    [Fact]
    public async Task Search_ACommand_ShowsItsTarget()
    {
        var file = _folder.Write("commands.jsonl", """
            {"v":1,"time":"2026-11-26T10:00:00.000Z","event":"command","command":"token revoke","target":"user:alice","account":"root","uid":0}

            """);

        var (_, output, _) = await RunAsync("audit", "search", file);

        Assert.EndsWith("token revoke    user:alice\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Search_WithoutAFile_SaysWhichIsMissing()
    {
        var missing = Path.Combine(_folder.Path, "none.jsonl");

        Assert.Equal(
            (78, "", $"{missing}: no such audit file. Name the current file; the gateway creates it when it starts.\n"),
            await RunAsync("audit", "search", missing));
    }

    [Fact]
    public async Task Tail_LastLines_ArePrinted()
    {
        var (_, output, _) = await RunAsync("audit", "tail", _file, "-n", "2", "--json");

        Assert.Equal(["htpasswd", "r5"], output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(NameOf));
    }

    [Fact]
    public void Follower_OverRotation_GivesEveryLineOnce()
    {
        var path = Path.Combine(_folder.Path, "followed.jsonl");
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        using var file = new AuditFile(new AuditFileOptions { Path = path, MaxAge = TimeSpan.FromHours(1) }, clock);
        using var follower = new AuditFollower(path);
        var seen = new List<string>();
        for (var i = 1; i <= 9; i++)
        {
            file.Write(
                [
                    new LifecycleEntry(
                        clock.GetUtcNow(), true, new AuditOptions(), i.ToString(CultureInfo.InvariantCulture)),
                ], false);
            if (i % 3 == 0)
            {
                clock.Advance(TimeSpan.FromHours(2)); // the next one begins a new file
            }

            if (i != 4)
            {
                seen.AddRange(follower.ReadNew().Select(static line =>
                    AuditFilter.Text(AuditSearch.Parse(line)!.Value, "version")));
            }
        }

        Assert.Equal(["1", "2", "3", "4", "5", "6", "7", "8", "9"], seen);
    }

    [Fact]
    public async Task Verify_Chain_SaysWhereItEndsAndFindsChanges()
    {
        var path = Path.Combine(_folder.Path, "chained.jsonl");
        var key = _folder.Write("key", new string('k', 40) + "\n");
        using (var file = new AuditFile(
            new AuditFileOptions { Path = path, MaxAge = TimeSpan.Zero, HashKey = new string('k', 40) },
            TimeProvider.System))
        {
            file.Write([Entry("1"), Entry("2"), Entry("3")], durable: false);
        }

        var (code, output, _) = await RunAsync("audit", "verify", path, "--key-file", key);
        var position = output.TrimEnd('\n').Split(' ')[^1];
        var expected = await RunAsync("audit", "verify", path, "--key-file", key, "--expect", position);
        await File.WriteAllTextAsync(
            path,
            (await File.ReadAllTextAsync(path)).Replace(
                "\"version\":\"2\"", "\"version\":\"8\"", StringComparison.Ordinal));
        var changed = await RunAsync("audit", "verify", path, "--key-file", key);
        var withoutKey = await RunAsync("audit", "verify", path);

        Assert.Equal(0, code);
        Assert.StartsWith(
            "3 lines verified, from number 1, in 1 file. The chain ends at 3:", output, StringComparison.Ordinal);
        Assert.Equal(0, expected.Code);
        Assert.Equal(1, changed.Code);
        Assert.StartsWith(
            "chained.jsonl:2: line 2 or the line before it was changed\n", changed.Output, StringComparison.Ordinal);
        Assert.EndsWith("The audit trail was changed or is incomplete.\n", changed.Output, StringComparison.Ordinal);
        Assert.Equal(1, withoutKey.Code);
        Assert.Contains("pass its key", withoutKey.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_FilesWithoutAChain_IsNoSuccess()
    {
        var (code, output, _) = await RunAsync("audit", "verify", _file);

        Assert.Equal(1, code);
        Assert.Contains("nothing can be verified", output, StringComparison.Ordinal);
    }

    private async Task<(int Code, string Error)> ErrorOfAsync(string option, string word)
    {
        var (code, _, error) = await RunAsync("audit", "search", _file, option, word);
        return (code, error);
    }

    private static LifecycleEntry Entry(string version) =>
        new(TimeProvider.System.GetUtcNow(), true, new AuditOptions(), version);

    private static string NameOf(string line)
    {
        var root = System.Text.Json.JsonDocument.Parse(line).RootElement;
        return new[]
        {
            "requestId",
            "credential",
            "source",
        }.Select(name => AuditFilter.Text(root, name)).First(static text => text.Length > 0);
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await GatewayCommand.Create().Parse(arguments).InvokeAsync(
            new InvocationConfiguration { Output = output, Error = error });
        return (code, output.ToString(), error.ToString());
    }

    [GeneratedRegex(@"(?:=>|operation =) ""(\w+)""")]
    private static partial Regex SurfaceOperation();
}
