using System.CommandLine;
using Gateway.Commands;
using Gateway.Server.Records.Audit;
using Gateway.Server.Store.Identities;
using Gateway.Server.Store.State;
using Gateway.Server.Store.State.Sqlite;
using Gateway.Tests.Server.SignIn.Authentication;
using Gateway.Tests.Support;

namespace Gateway.Tests.Commands;

/// <summary>Whom or what an operator's command changes stands in the line that it leaves in the audit trail.</summary>
public sealed class CommandTargetTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _config;

    public CommandTargetTests()
    {
        _folder.Write("users.htpasswd", "alice:" + TestUsers.Hash("alice-password") + "\n");
        _config = _folder.Write("gateway.yaml", """
            publicUrl: https://registry.test
            tls: { certificates: [ { certificate: tls.crt, key: tls.key } ] }
            registries: [ { name: main, upstreams: [ "http://127.0.0.1:5000" ] } ]
            authentication: { htpasswd: { file: users.htpasswd, minimumCost: 4 } }
            policies: policies
            audit: { file: { path: audit.jsonl } }
            """);
    }

    private string Trail => Path.Combine(_folder.Path, "audit.jsonl");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Tokens_MadeRotatedRevoked_AreNamed()
    {
        await RunAsync("token", "create", "laptop", "--user", "alice", "--all", "--quiet");
        await RunAsync("token", "create", "blue", "--robot", "ci", "--scope", "a:pull", "--quiet");
        string id;
        await using (var store = SqliteCredentialStore.Open(Path.Combine(_folder.Path, "state")))
        {
            id = (await store.ListAsync(null, default)).Single(static one => one.Name == "laptop").Id;
        }

        await RunAsync("token", "rotate", id, "--quiet");
        await RunAsync("token", "revoke", id);
        await RunAsync("token", "revoke", "--all-of", "user:alice");
        await RunAsync("token", "list");

        Assert.Equal(
            [
                "token create user:alice", "token create robot:ci", $"token rotate {id}", $"token revoke {id}",
                "token revoke user:alice",
            ],
            Commands());
    }

    [Fact]
    public async Task Users_AddedRemovedAccepted_AreNamed()
    {
        string[] add = ["user", "add", "bob", "--cost", "8", "--config", _config];
        Assert.Equal(0, Tool.RunGateway("secret\n", add).ExitCode);
        await RunAsync("user", "remove", "bob");
        await RunAsync("user", "reload", "--accept"); // no gateway runs; that somebody tried is recorded
        await RunAsync("user", "list");

        Assert.Equal(
            ["user add bob", "user remove bob", $"user reload --accept {_folder.Path}/users.htpasswd"], Commands());
    }

    [Fact]
    public async Task Keys_Identities_Limits_AreNamed()
    {
        await RunAsync("keys", "rotate");
        await RunAsync("keys", "retire", "ABCD", "--yes"); // there is no such key; that somebody tried is recorded
        await using (var database = SqliteDatabase.Open(Path.Combine(_folder.Path, "state")))
        {
            await new SqliteIdentityStore(database).WriteAsync(
                new StoredIdentity
                {
                    Method = "oidc:corp",
                    Name = "bob",
                    ProviderSubject = "s",
                    SignedInAt = DateTimeOffset.UnixEpoch,
                    ValidatedAt = DateTimeOffset.UnixEpoch,
                },
                default);
        }

        await RunAsync("identity", "forget", "oidc:corp", "bob");
        await RunAsync("limits", "reset", "user:alice");
        await RunAsync("keys", "list");
        await RunAsync("identity", "list");

        Assert.Equal(
            ["keys rotate ", "keys retire ABCD", "identity forget oidc:corp bob", "limits reset user:alice"],
            Commands());
    }

    // "COMMAND TARGET" for each line that a command left.
    private IEnumerable<string> Commands() => File.ReadAllLines(Trail)
        .Select(static line => AuditSearch.Parse(System.Text.Encoding.UTF8.GetBytes(line))!.Value)
        .Where(static line => AuditFilter.Text(line, "event") == "command")
        .Select(static line => $"{AuditFilter.Text(line, "command")} {AuditFilter.Text(line, "target")}");

    private async Task RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        await GatewayCommand.Create().Parse([.. arguments, "--config", _config])
            .InvokeAsync(new InvocationConfiguration { Output = output, Error = output });
    }
}
