using System.Text.Json;
using Gateway.Commands;
using Gateway.Core.Tokens;
using Gateway.Foundation.Files;
using Gateway.Server.SignIn.Oidc;
using Gateway.Server.Store.Identities;
using Gateway.Server.Store.State;
using Gateway.Server.Store.State.Sqlite;
using Gateway.Tests.Support;

namespace Gateway.Tests.Commands;

public sealed class TokenCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _config;

    public TokenCommandTests()
    {
        _folder.Write("users.htpasswd", "alice:" + TestUsers.Hash("alice-password") + "\n");
        _config = _folder.Write("gateway.yaml", """
            publicUrl: https://registry.test
            tls: { certificates: [ { certificate: tls.crt, key: tls.key } ] }
            registries: [ { name: main, upstreams: [ "http://127.0.0.1:5000" ] } ]
            authentication: { htpasswd: { file: users.htpasswd, minimumCost: 4 } }
            policies: policies
            tokens: { maximumCredentialLifetime: 100d }
            """);
    }

    [Fact]
    public async Task Create_Person_PrintsTheSecretAloneOnStandardOutput()
    {
        var (code, output, error) = await RunAsync(
            "create", "laptop", "--user", "alice", "--scope", "team-a/**:pull", "--scope", "base/*:pull,push");

        Assert.Equal(0, code);
        var secret = AssertSecret(CredentialSecretKind.Personal, output);
        var kept = await FindAsync(secret);
        Assert.Equal("user:alice", kept.Owner.ToString());
        Assert.Equal("team-a/**:pull base/*:pull,push", kept.Limit!.ToString());
        Assert.Equal("operator", kept.CreatedBy);
        Assert.Equal(TimeSpan.FromDays(90), kept.ExpiresAt - kept.CreatedAt);
        Assert.Equal(
            $"Created the token {kept.Id} (\"laptop\") of user:alice, for team-a/**:pull base/*:pull,push, "
                + $"until {TokenTable.Format(kept.ExpiresAt)}.\n"
            + "The secret is not shown again. Sign in with it: docker login --username alice --password-stdin "
            + "registry.test\n",
            error);
    }

    [Fact]
    public async Task Create_Quiet_PrintsNothingElse()
    {
        var (code, output, error) = await RunAsync("create", "laptop", "--user", "alice", "--all", "--quiet");

        Assert.Equal((0, ""), (code, error));
        Assert.Null((await FindAsync(AssertSecret(CredentialSecretKind.Personal, output))).Limit);
    }

    [Fact]
    public async Task Create_Json_PrintsWhatTheApiAnswers()
    {
        var (code, output, error) = await RunAsync(
            "create", "blue", "--robot", "ci-deploy", "--scope", "team-a/**:push", "--expires", "30d", "--json");

        Assert.Equal((0, ""), (code, error));
        using var document = JsonDocument.Parse(output);
        AssertSecret(CredentialSecretKind.Robot, document.RootElement.GetProperty("secret").GetString() + "\n");
        var token = document.RootElement.GetProperty("token");
        Assert.Equal("robot:ci-deploy", token.GetProperty("owner").GetString());
        Assert.Equal(
            "[\"team-a/**:push\"]",
            token.GetProperty("scopes")
                .GetRawText()
                .Replace("\n", "", StringComparison.Ordinal)
                .Replace(" ", "", StringComparison.Ordinal));
        Assert.Equal(JsonValueKind.Null, document.RootElement.GetProperty("replaced").ValueKind);
    }

    [Theory]
    [InlineData(
        "--user alice",
        "--scope: the limits of the token are missing. Give --scope \"team-a/**:pull,push\", or --all for everything "
            + "that the user may do.")]
    [InlineData(
        "--user alice --all --scope a:pull",
        "--scope: cannot be combined with --all. Give --scope \"team-a/**:pull,push\", or --all for everything that "
            + "the user may do.")]
    [InlineData(
        "--user alice --scope a:write",
        "--scope: The scope \"a:write\" names the action \"write\": the actions are pull, push and delete. See "
            + "docs/tokens.md, \"Scopes\".")]
    [InlineData(
        "--all",
        "--user: the owner is missing, or there are two: one user or one robot. Give --user alice, or --robot "
            + "ci-deploy.")]
    [InlineData(
        "--all --user alice --robot ci",
        "--user: the owner is missing, or there are two: one user or one robot. Give --user alice, or --robot "
            + "ci-deploy.")]
    [InlineData(
        "--all --user Alice",
        "--user: no such user in {users} (found \"Alice\"). List the exact names, with upper and lower case: gateway "
            + "user list.")]
    [InlineData(
        "--robot CI --scope a:pull",
        "--robot: this is not a robot's name (found \"CI\"). A robot's name is 1 to 64 of a-z, 0-9, \".\", \"_\" and "
            + "\"-\", and begins and ends with a letter or digit.")]
    [InlineData(
        "--robot ci --all",
        "--scope: a robot token needs scopes. List what it may do, such as \"team-a/**:pull,push\".")]
    [InlineData(
        "--user alice --all --expires 30",
        "--expires: this is not a duration (found \"30\"). Write integers with units (d, h, m, s), such as 30d.")]
    [InlineData(
        "--user alice --all --expires 101d",
        "--expires: out of range (found \"101d\"). Choose a lifetime from 1m to 100d; the operator sets the maximum "
            + "with tokens.maximumCredentialLifetime.")]
    public async Task Create_WrongOrder_SaysWhatWouldBeRight(string options, string message)
    {
        var (code, output, error) = await RunAsync(["create", "laptop", .. options.Split(' ')]);

        Assert.Equal((78, ""), (code, output));
        Assert.Equal(
            message.Replace("{users}", Path.Combine(_folder.Path, "users.htpasswd"), StringComparison.Ordinal) + "\n",
            error);
        Assert.Empty(await ListAsync());
    }

    [Fact]
    public async Task Create_WrongName_SaysWhatWouldBeRight()
    {
        var (code, _, error) = await RunAsync("create", " ", "--user", "alice", "--all");

        Assert.Equal(78, code);
        Assert.StartsWith("NAME: this is not a name for a token (found \" \").", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_WrongConfiguration_IsReportedAsElsewhere()
    {
        _folder.Write("gateway.yaml", "publicUrl: http://registry.test\n");

        var (code, output, error) = await RunAsync("create", "laptop", "--user", "alice", "--all");

        Assert.Equal((78, ""), (code, output));
        Assert.Contains("publicUrl: is not https", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_Tokens_ShowsAllButTheSecret()
    {
        Assert.Equal((0, "", ""), await RunAsync("list"));
        var first = await CreateAsync("laptop", "--user", "alice", "--all");
        var second = await CreateAsync(
            "blue", "--robot", "ci-deploy", "--scope", "team-a/**:push", "--scope", "base:pull");
        await RunAsync("revoke", first.Id);

        var (code, output, error) = await RunAsync("list");
        var (_, one, _) = await RunAsync("list", "--owner", "robot:ci-deploy");
        var (_, json, _) = await RunAsync("list", "--json");

        Assert.Equal((0, ""), (code, error));
        var (created, expires) = (TokenTable.Format(first.CreatedAt), TokenTable.Format(first.ExpiresAt));
        Assert.Equal(
#pragma warning disable RCS0056 // a table
            $"""
            ID            KIND      OWNER            NAME    STATE    CREATED            EXPIRES            LAST USED  FROM  SCOPES
            {second.Id}  robot     robot:ci-deploy  blue    active   {created}  {expires}  never      -     team-a/**:push base:pull
            {first.Id}  personal  user:alice       laptop  revoked  {created}  {expires}  never      -     everything its owner may do

            """.ReplaceLineEndings("\n"),
#pragma warning restore RCS0056
            output.Replace(TokenTable.Format(second.CreatedAt), created, StringComparison.Ordinal)
                .Replace(TokenTable.Format(second.ExpiresAt), expires, StringComparison.Ordinal));
        Assert.Contains(second.Id, one, StringComparison.Ordinal);
        Assert.DoesNotContain(first.Id, one, StringComparison.Ordinal);
        using var document = JsonDocument.Parse(json);
        Assert.Equal(
            [second.Id, first.Id],
            document.RootElement.GetProperty("tokens")
                .EnumerateArray()
                .Select(static token => token.GetProperty("id").GetString()));
        Assert.DoesNotContain("rgp_", output + json, StringComparison.Ordinal);
        Assert.DoesNotContain("rgr_", output + json, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("list", "--owner", "alice")]
    [InlineData("revoke", "--all-of", "everybody")]
    public async Task Owner_WithoutItsKind_IsNotGuessed(string command, string option, string owner)
    {
        var (code, _, error) = await RunAsync(command, option, owner);

        Assert.Equal(78, code);
        Assert.Equal($"{option}: this is not an owner (found \"{owner}\"). Write user:NAME or robot:NAME.\n", error);
    }

    [Fact]
    public async Task Revoke_Token_EndsItAndSaysSoEachTime()
    {
        var token = await CreateAsync("laptop", "--user", "alice", "--all");

        Assert.Equal((0, $"Revoked {token.Id}.\n", ""), await RunAsync("revoke", token.Id));
        Assert.Equal((0, $"{token.Id} was revoked already.\n", ""), await RunAsync("revoke", token.Id));
        Assert.NotNull((await ListAsync()).Single().RevokedAt);
    }

    [Fact]
    public async Task Revoke_AllOfAnOwner_LeavesTheOthers()
    {
        await CreateAsync("a", "--user", "alice", "--all");
        await CreateAsync("b", "--user", "alice", "--all");
        var robot = await CreateAsync("c", "--robot", "alice", "--scope", "**:pull");

        Assert.Equal(
            (0, "Revoked 2 tokens of user:alice, and all access tokens issued to them until now.\n", ""),
            await RunAsync("revoke", "--all-of", "user:alice"));

        Assert.Equal(robot.Id, (await ListAsync()).Single(static token => token.RevokedAt is null).Id);
    }

    [Fact]
    public async Task Revoke_AllOfNobody_SaysWhoThereIsAndFails()
    {
        await CreateAsync("a", "--user", "alice", "--all");

        var (code, output, error) = await RunAsync("revoke", "--all-of", "user:corp/Alice");

        Assert.Equal((1, ""), (code, output));
        Assert.Equal(
            "No user and no token of user:corp/Alice was found. Access tokens issued until now under exactly that "
            + "name are refused, and nothing else was changed. Known: user:alice.\n",
            error);
        Assert.Null((await ListAsync()).Single().RevokedAt);
    }

    [Fact]
    public async Task Revoke_AllOfSomebodyWithoutTokens_Succeeds() => Assert.Equal(
        (0, "Revoked 0 tokens of user:alice, and all access tokens issued to them until now.\n", ""),
        await RunAsync("revoke", "--all-of", "user:alice"));

    [Fact]
    public async Task QualifiedName_OfADirectory_IsGivenListedAndRevoked()
    {
        Add("ldap: { corp: { servers: [ \"ldaps://directory.test\" ], userDn: \"uid={name},dc=test\", names: "
            + "qualified } }");

        var token = await CreateAsync("laptop", "--user", "corp/alice", "--all");
        await CreateAsync("other", "--user", "alice", "--all");

        Assert.Equal(("user:corp/alice", "ldap:corp"), (token.Owner.ToString(), token.Owner.Method));
        var (listed, list, _) = await RunAsync("list", "--owner", "user:corp/alice");
        Assert.Equal(0, listed);
        Assert.Contains(token.Id, list, StringComparison.Ordinal);
        Assert.DoesNotContain(" other ", list, StringComparison.Ordinal);
        Assert.Equal(
            (0, "Revoked 1 token of user:corp/alice, and all access tokens issued to them until now.\n", ""),
            await RunAsync("revoke", "--all-of", "user:corp/alice"));
        Assert.Equal(token.Id, (await ListAsync()).Single(static one => one.RevokedAt is not null).Id);
    }

    [Theory]
    [InlineData("o'brien@corp.test")]
    [InlineData("ann$x")]
    public async Task Create_NameWithTheShellsCharacters_PrintsALineThatAShellReadsBack(string name)
    {
        _folder.Write("users.htpasswd", name + ":" + TestUsers.Hash("a-password") + "\n");

        var (_, _, error) = await RunAsync("create", "laptop", "--user", name, "--all");

        var line = error[error.IndexOf("docker login ", StringComparison.Ordinal)..].TrimEnd();
        Assert.Equal(
            $"docker\nlogin\n--username\n{name}\n--password-stdin\nregistry.test\n",
            await ShellReader.WordsOfAsync(line));
    }

    private void Add(string authentication) => _folder.Write("gateway.yaml", File.ReadAllText(_config).Replace(
        "authentication: { ", "authentication: { " + authentication + ", ", StringComparison.Ordinal));

    [Theory]
    [InlineData("dora", "plain")]
    [InlineData("corp/dora", "qualified")]
    public async Task Create_PersonOfAProvider_IsBoundToTheirAccount(string name, string names)
    {
        Add($"oidc: {{ corp: {{ issuer: \"https://issuer.test\", clientId: gateway, clientSecret: "
            + $"secret-in-a-test-file, names: {names} }} }}");
        var identity = await AddIdentityAsync(name);

        var token = await CreateAsync("laptop", "--user", name, "--all");

        Assert.Equal(("user:" + name, "oidc:corp"), (token.Owner.ToString(), token.Owner.Method));
        Assert.Equal(OidcIdentities.EvidenceOf(identity), token.Evidence); // as one that they make themselves
    }

    [Fact]
    public async Task Create_PersonWhomTheProviderNoLongerConfirms_IsRefused()
    {
        Add("oidc: { corp: { issuer: \"https://issuer.test\", clientId: gateway, clientSecret: secret-in-a-test-file "
            + "} }");
        await AddIdentityAsync("dora", ended: "the account is gone");

        var (code, output, error) = await RunAsync("create", "laptop", "--user", "dora", "--all");

        Assert.Equal((78, ""), (code, output));
        Assert.Equal(
            "--user: oidc:corp no longer confirms them: the account is gone (found \"dora\"). Ask them to sign in "
                + "again first.\n", error);
        Assert.Empty(await ListAsync());
    }

    [Fact]
    public async Task Create_PlainNameOfAQualifiedPerson_ListsThemAndMakesNothing()
    {
        Add(
            "oidc: { corp: { issuer: \"https://issuer.test\", clientId: gateway, clientSecret: secret-in-a-test-file, "
                + "names: qualified }, "
            + "lab: { issuer: \"https://lab.test\", clientId: gateway, clientSecret: secret-in-a-test-file, names: "
            + "qualified } }");
        await AddIdentityAsync("corp/dora");
        await AddIdentityAsync("lab/dora", "oidc:lab");

        var (code, output, error) = await RunAsync("create", "laptop", "--user", "dora", "--all");

        Assert.Equal((78, ""), (code, output));
        Assert.Equal(
            $"--user: no such user in {Path.Combine(_folder.Path, "users.htpasswd")}, and nobody with that name "
            + "signed in through a provider (found \"dora\"). Known: corp/dora, lab/dora. Write one of these names in "
            + "full.\n",
            error);
        Assert.Empty(await ListAsync());
        Assert.Equal("oidc:lab", (await CreateAsync("laptop", "--user", "lab/dora", "--all")).Owner.Method);
    }

    [Fact]
    public async Task Create_PlainNameOfADirectory_IsItsUsersAndSaysThatItWasNotAsked()
    {
        Add("ldap: { corp: { servers: [ \"ldaps://directory.test\" ], searchBase: \"dc=test\", bindDn: "
            + "\"cn=gateway\", bindPassword: p } }");

        var (code, output, error) = await RunAsync("create", "laptop", "--user", "dora", "--all");

        Assert.Equal(0, code);
        Assert.Equal("ldap:corp", (await FindAsync(output[..^1])).Owner.Method);
        Assert.StartsWith(
            "The directory corp was not asked whether it has \"dora\"; if not, the token is refused.\n", error,
            StringComparison.Ordinal);
        // the file's own
        Assert.Equal("htpasswd", (await CreateAsync("laptop", "--user", "alice", "--all")).Owner.Method);
    }

    [Fact]
    public async Task Create_PlainNameThatTwoDirectoriesMayHave_IsRefused()
    {
        Add(
            "ldap: { corp: { servers: [ \"ldaps://directory.test\" ], searchBase: \"dc=test\", bindDn: "
                + "\"cn=gateway\", bindPassword: p }, "
            + "lab: { servers: [ \"ldaps://lab.test\" ], searchBase: \"dc=lab\", bindDn: \"cn=gateway\", "
            + "bindPassword: p } }");

        var (code, output, error) = await RunAsync("create", "laptop", "--user", "dora", "--all");

        Assert.Equal((78, ""), (code, output));
        Assert.StartsWith(
            "--user: several directories may have this user (corp, lab) (found \"dora\").", error,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task CreateAndRotate_ForSomebodyBlocked_SaysThatTheTokenIsRefused()
    {
        var token = await CreateAsync("blue", "--robot", "ci-deploy", "--scope", "a:pull");
        await using (var store = SqliteCredentialStore.Open(Path.Combine(_folder.Path, "state")))
        {
            await store.WriteBlockAsync(
                SubjectBlock.Create(null, "robot:ci-deploy", TimeProvider.System.GetUtcNow(), "root"), default);
        }

        const string warning =
            "robot:ci-deploy is blocked, so the token is refused. To unblock: gateway user unblock robot:ci-deploy\n";
        var created = await RunAsync("create", "green", "--robot", "ci-deploy", "--scope", "a:pull", "--quiet");
        Assert.Equal((0, warning), (created.Code, created.Error));
        Assert.Equal(
            (0, warning),
            (await RunAsync("rotate", token.Id, "--quiet")) is var (code, _, error) ? (code, error) : default);
        Assert.Equal(
            "", (await RunAsync("create", "other", "--robot", "ci-other", "--scope", "a:pull", "--quiet")).Error);
    }

    [Fact]
    public async Task RevokeAndRotate_UnknownId_SaySo()
    {
        foreach (var command in new[] { "revoke", "rotate" })
        {
            Assert.Equal(
                (1, "", "ID: there is no such token (found \"k00000000000\"). See them all: gateway token list.\n"),
                await RunAsync(command, "k00000000000"));
        }
    }

    [Theory]
    [InlineData()]
    [InlineData("k00000000000", "--all-of", "user:alice")]
    public async Task Revoke_NothingOrTwoThings_IsRefused(params string[] arguments)
    {
        Assert.Equal(
            (78, "",
                "ID: the token is missing, or there is an owner as well. Give the token's id, or --all-of "
                    + "user:alice.\n"),
            await RunAsync(["revoke", .. arguments]));
    }

    [Fact]
    public async Task Rotate_Token_PrintsTheNewSecretAndTheOldOnesEnd()
    {
        var old = await CreateAsync("blue", "--robot", "ci-deploy", "--scope", "**:pull", "--expires", "10d");

        var (code, output, error) = await RunAsync("rotate", old.Id, "--overlap", "2h");

        Assert.Equal(0, code);
        var made = await FindAsync(AssertSecret(CredentialSecretKind.Robot, output));
        Assert.Equal(TimeSpan.FromDays(10), made.ExpiresAt - made.CreatedAt);
        var ended = (await ListAsync()).Single(token => token.Id == old.Id);
        Assert.Equal(made.CreatedAt + TimeSpan.FromHours(2), ended.ExpiresAt);
        Assert.Contains(
            $"The old token, {old.Id}, expires {TokenTable.Format(ended.ExpiresAt)}.\n", error,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rotate_EndedToken_SaysSo()
    {
        var token = await CreateAsync("laptop", "--user", "alice", "--all");
        await RunAsync("revoke", token.Id);

        Assert.Equal(
            (1, "", $"{token.Id}: the token has expired or was revoked. Create a new one.\n"),
            await RunAsync("rotate", token.Id, "--quiet"));
    }

    [Fact]
    public async Task Store_InRedis_IsUsedAlike()
    {
        await using var redis = await RedisServer.StartAsync();
        await File.AppendAllTextAsync(
            _config, $"\nstate: {{ store: redis }}\nredis: {{ server: \"{redis.Options.Server}\" }}\n");

        var (code, secret, error) = await RunAsync(
            "create", "blue", "--robot", "ci-deploy", "--scope", "**:pull", "--quiet");
        var (_, list, _) = await RunAsync("list");

        Assert.True(code == 0, error);
        AssertSecret(CredentialSecretKind.Robot, secret);
        Assert.Contains("robot:ci-deploy  blue  active", list, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_folder.Path, "state", "gateway.db")));
        await redis.KillAsync();
        (code, _, error) = await RunAsync("list");
        Assert.Equal(1, code);
        Assert.Contains("redis", error, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Store_OfAnotherUser_IsLeftAloneExceptByRoot()
    {
        await CreateAsync("laptop", "--user", "alice", "--all");
        var file = Path.Combine(_folder.Path, "state", SqliteDatabase.FileName);
        var owner = FileOwner.Read(file)!.Value.User;

        Assert.Null(StoreOwner.Check(file, owner));
        Assert.Null(StoreOwner.Check(file, 0));
        Assert.Null(StoreOwner.Check(file + ".missing", owner + 1));
        Assert.Equal(
            $"{file}: the store belongs to another user (found \"uid {owner}, and this command runs as {owner + 1}\"). "
            + $"Run the command as that user: sudo -u '#{owner}' gateway …",
            StoreOwner.Check(file, owner + 1)!.ToString());
    }

    public void Dispose() => _folder.Dispose();

    private static string AssertSecret(CredentialSecretKind kind, string output)
    {
        Assert.Equal(CredentialSecret.Length + 1, output.Length);
        Assert.True(CredentialSecret.TryParse(output[..^1], out var secret));
        Assert.Equal(kind, secret.Kind);
        return output[..^1];
    }

    private async Task<StoredCredential> CreateAsync(params string[] arguments)
    {
        var (code, output, error) = await RunAsync(["create", .. arguments, "--quiet"]);
        Assert.True(code == 0, error);
        return await FindAsync(output[..^1]);
    }

    private async Task<StoredIdentity> AddIdentityAsync(string name, string method = "oidc:corp", string? ended = null)
    {
        await using var database = SqliteDatabase.Open(Path.Combine(_folder.Path, "state"));
        var now = TimeProvider.System.GetUtcNow();
        return (await new SqliteIdentityStore(database).WriteAsync(
            new StoredIdentity
            {
                Method = method,
                Name = name,
                ProviderSubject = "sub of " + name,
                SignedInAt = now,
                ValidatedAt = now,
                Ended = ended,
            },
            default))!;
    }

    private async Task<StoredCredential> FindAsync(string secret)
    {
        await using var store = SqliteCredentialStore.Open(Path.Combine(_folder.Path, "state"));
        return (await store.FindAsync(SecretHash.Of(secret), default))!;
    }

    private async Task<IReadOnlyList<StoredCredential>> ListAsync()
    {
        await using var store = SqliteCredentialStore.Open(Path.Combine(_folder.Path, "state"));
        return await store.ListAsync(null, default);
    }

    private async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var result = GatewayCommand.Create().Parse(["token", .. arguments, "--config", _config]);
        result.InvocationConfiguration.Output = output;
        result.InvocationConfiguration.Error = error;
        return (await result.InvokeAsync(), output.ToString(), error.ToString());
    }
}
