using System.Net;
using System.Text;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.SignIn.Ldap;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using static Gateway.Tests.Support.TokenAnswers;

namespace Gateway.Tests.Server.SignIn.Ldap;

/// <summary>Users of real directories sign in at a whole gateway, and nobody else does.</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage(
    "Design", "CA1001", Justification = "xUnit calls IAsyncLifetime.DisposeAsync")]
public sealed class LdapTests : IAsyncLifetime
{
    private const string Base = LdapServerProcess.Base;
    private const string People = "ou=people," + Base;

    private const string Entries = $"""
        dn: uid=dora,{People}
        objectClass: inetOrgPerson
        uid: dora
        cn: Dora
        sn: Example
        departmentNumber: 42
        userPassword: dora-password

        dn: uid=erik,{People}
        objectClass: inetOrgPerson
        uid: erik
        cn: Erik
        sn: Example
        userPassword: erik-password

        dn: uid=alice,{People}
        objectClass: inetOrgPerson
        uid: alice
        cn: Alice of the directory
        sn: Example
        userPassword: alice-of-the-directory

        dn: cn=twin1,{People}
        objectClass: inetOrgPerson
        uid: twin
        cn: twin1
        sn: Example
        userPassword: twin-password

        dn: cn=twin2,{People}
        objectClass: inetOrgPerson
        uid: twin
        cn: twin2
        sn: Example
        userPassword: twin-password

        dn: uid=odd\2c name\2b\22x\22 \23,{People}
        objectClass: inetOrgPerson
        uid: odd, name+"x" #
        cn: Odd
        sn: Example
        userPassword: odd-password

        dn: cn=developers,ou=groups,{Base}
        objectClass: groupOfNames
        cn: developers
        member: uid=dora,{People}

        dn: cn=staff,ou=groups,{Base}
        objectClass: groupOfNames
        cn: staff
        member: cn=developers,ou=groups,{Base}

        dn: cn=everybody,ou=groups,{Base}
        objectClass: groupOfNames
        cn: everybody
        member: cn=staff,ou=groups,{Base}

        """;

    private const string Policy = """
        rules:
          - { name: staff reads, to: ["group:everybody"], role: reader, on: ["staff/**"] }
          - { name: developers write, to: ["group:developers"], role: writer, on: ["dev/**"] }
          - { name: department 42, to: ["authenticated"], when: { department: "42" }, role: reader, on: ["42/**"] }
          - { name: own, to: ["authenticated"], role: owner, on: ["users/${subject}/**"] }
          - { name: the file's users, to: ["user:bob"], role: reader, on: ["bob/**"] }
        """;

    private LdapServerProcess _server = null!;
    private RecordingUpstream _upstream = null!;
    private readonly List<TestGateway> _gateways = [];
    private readonly LogSink _log = new();

    public async Task InitializeAsync()
    {
        _server = await LdapServerProcess.StartAsync(Entries);
        _server.Modify($"""
            dn: cn=staff,ou=groups,{Base}
            changetype: modify
            add: member
            member: cn=everybody,ou=groups,{Base}
            """); // which it is in itself
        _upstream = await RecordingUpstream.StartAsync();
    }

    public async Task DisposeAsync()
    {
        foreach (var gateway in _gateways)
        {
            await gateway.DisposeAsync();
        }

        await _upstream.DisposeAsync();
        await _server.DisposeAsync();
        _log.Dispose();
    }

    [Theory]
    [InlineData("ldaps")]
    [InlineData("startTls")]
    public async Task SignIn_WithGroupsAndClaims_IsGrantedWhatPoliciesSay(string way)
    {
        var gateway = await StartAsync(options => options.Servers = [way == "ldaps" ? _server.Ldaps : _server.Ldap]);

        Assert.Equal(
            "repository:dev/app:pull,push repository:staff/app:pull repository:42/app:pull "
                + "repository:users/dora/app:pull,push,delete",
            await GrantedAsync(gateway, "dora", "dora-password", "dev/app", "staff/app", "42/app", "users/dora/app"));
        Assert.Equal(
            "repository:users/erik/app:pull,push,delete",
            await GrantedAsync(
                gateway, "erik", "erik-password", "dev/app", "staff/app", "42/app", "users/erik/app",
                "users/dora/app"));
        Assert.Equal(401, await StatusAsync(gateway, "dora", "wrong"));
        Assert.Equal(401, await StatusAsync(gateway, "nobody", "dora-password"));
        Assert.Equal(200, await StatusAsync(gateway, "bob", "bob-password")); // of the file
        Assert.DoesNotContain(
            _server.Log.Split('\n'), static line => line.Contains("dora-password", StringComparison.Ordinal));
    }

    [Fact]
    public async Task EmptyPassword_IsNeverABind()
    {
        var gateway = await StartAsync();
        Assert.Equal(200, await StatusAsync(gateway, "erik", "erik-password"));
        var binds = Binds("erik");

        Assert.Equal(401, await StatusAsync(gateway, "dora", ""));
        Assert.Equal(401, await StatusAsync(gateway, "corp/dora", ""));
        Assert.Equal(0, Binds("dora"));
        Assert.Equal(binds, Binds("erik"));
    }

    [Theory]
    [InlineData("*")]
    [InlineData("d*")]
    [InlineData("dora)(uid=*")]
    [InlineData("*)(uid=*))(|(uid=*")]
    [InlineData("dora\\2a")]
    [InlineData("dora)")]
    [InlineData("(")]
    [InlineData("\\")]
    [InlineData("dora,ou=people")]
    [InlineData("dora+uid=erik")]
    [InlineData("cn=root")]
    [InlineData("..")]
    public async Task Name_ThatIsAPieceOfAFilter_IsNobody(string name)
    {
        var gateway = await StartAsync();
        Assert.Equal(401, await StatusAsync(gateway, name, "dora-password"));
        Assert.Equal(200, await StatusAsync(gateway, "dora", "dora-password"));
    }

    [Fact]
    public async Task Entries_MoreThanOne_AreNobody()
    {
        var gateway = await StartAsync();
        // the operator's to mend; not the person's password
        Assert.Equal(503, await StatusAsync(gateway, "twin", "twin-password"));
        Assert.Contains(_log.Lines, static line => line.Contains("more than one entry", StringComparison.Ordinal));
        Assert.Equal(200, await StatusAsync(gateway, "dora", "dora-password"));
    }

    [Fact]
    public async Task Spelling_IsTheDirectorys()
    {
        var gateway = await StartAsync();
        Assert.Equal(
            "repository:users/dora/app:pull,push,delete",
            await GrantedAsync(gateway, "DORA", "dora-password", "users/dora/app", "users/DORA/app"));
    }

    [Fact]
    public async Task DirectBind_EscapesTheName_AndReadsItsOwnEntry()
    {
        var gateway = await StartAsync(static options =>
        {
            (options.BindDn, options.BindPassword, options.SearchBase) = (null, null, null);
            options.UserDn = "uid={name}," + People;
            options.Names = NameForm.Qualified;
        });
        Assert.Equal(
            "repository:42/app:pull", await GrantedAsync(gateway, "dora", "dora-password", "42/app", "users/dora/app"));
        Assert.Equal(401, await StatusAsync(gateway, "dora", "wrong"));
        Assert.Equal(401, await StatusAsync(gateway, "dora,ou=people", "dora-password"));
        Assert.Equal(200, await StatusAsync(gateway, "bob", "bob-password"));
    }

    [Fact]
    public async Task Name_ThatTheFileKnowsToo_IsTheFiles()
    {
        var gateway = await StartAsync();
        Assert.Equal(200, await StatusAsync(gateway, "alice", "alice-password"));
        Assert.Equal(401, await StatusAsync(gateway, "alice", "alice-of-the-directory"));
        var reply = await gateway.AskAsync("", Basic("corp/alice", "alice-of-the-directory"));
        Assert.Equal(HttpStatusCode.Unauthorized, reply.Status);
        Assert.Contains("another source", reply.Body, StringComparison.Ordinal);

        var qualified = await StartAsync(static options => options.Names = NameForm.Qualified);
        Assert.Equal(200, await StatusAsync(qualified, "corp/alice", "alice-of-the-directory"));
        // another person
        Assert.Equal("", await GrantedAsync(qualified, "corp/alice", "alice-of-the-directory", "users/alice/app"));
    }

    [Fact]
    public async Task ManyRequests_AreOneBind()
    {
        var gateway = await StartAsync();
        Assert.Equal(200, await StatusAsync(gateway, "dora", "dora-password"));
        var before = Binds("dora");
        var statuses = await Task.WhenAll(
            Enumerable.Range(0, 50).Select(_ => StatusAsync(gateway, "dora", "dora-password")));
        Assert.All(statuses, static status => Assert.Equal(200, status));
        Assert.Equal(before, Binds("dora"));
        Assert.Equal(1, before);
    }

    [Fact]
    public async Task Killed_ItsUsersComeAgain_AllOthersGoOn_AndItIsBackByItself()
    {
        var gateway = await StartAsync(static options => options.CacheLifetime = TimeSpan.Zero);
        Assert.Equal(200, await StatusAsync(gateway, "dora", "dora-password"));
        await _server.KillAsync();

        var reply = await gateway.AskAsync("", Basic("dora", "dora-password"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, reply.Status); // not 401: clients keep what they stored
        Assert.True(reply.Http.Headers.Contains("Retry-After"));
        Assert.Equal(200, await StatusAsync(gateway, "bob", "bob-password"));
        await Eventually.TrueAsync(
            () => _log.Lines.Any(static line => line.Contains("is unavailable", StringComparison.Ordinal)
            && line.Contains("check that it runs", StringComparison.Ordinal)));

        await _server.StartAgainAsync();
        await Eventually.TrueAsync(
            async () => await StatusAsync(gateway, "dora", "dora-password") == 200, TimeSpan.FromSeconds(30));
        Assert.Contains(_log.Lines, static line => line.Contains("has recovered", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Stopped_HoldsNobodyBeyondTheTimeout()
    {
        var gateway = await StartAsync(
            static options => (options.CacheLifetime, options.Timeout) = (TimeSpan.Zero, TimeSpan.FromSeconds(1)));
        Assert.Equal(200, await StatusAsync(gateway, "dora", "dora-password"));
        await _server.SignalAsync("STOP");
        try
        {
            var statuses = await Task.WhenAll(
                Enumerable.Range(0, 20).Select(
                    i => StatusAsync(
                        gateway, i % 2 == 0 ? "dora" : "bob", i % 2 == 0 ? "dora-password" : "bob-password")));
            Assert.Equal(10, statuses.Count(static status => status == 503));
            Assert.Equal(10, statuses.Count(static status => status == 200)); // the file's users wait for nobody
        }
        finally
        {
            await _server.SignalAsync("CONT");
        }

        await Eventually.TrueAsync(
            async () => await StatusAsync(gateway, "dora", "dora-password") == 200, TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Servers_Several_TheNextIsAskedWhereOneIsAway()
    {
        await using var second = await LdapServerProcess.StartAsync(Entries);
        await File.AppendAllTextAsync(_server.AuthorityFile, "\n" + await File.ReadAllTextAsync(second.AuthorityFile));
        var gateway = await StartAsync(options =>
        {
            options.Servers = [_server.Ldaps, second.Ldaps];
            options.CacheLifetime = TimeSpan.Zero;
        });
        Assert.Equal(200, await StatusAsync(gateway, "dora", "dora-password"));
        await _server.KillAsync();
        Assert.Equal(200, await StatusAsync(gateway, "dora", "dora-password"));
        Assert.Equal(401, await StatusAsync(gateway, "dora", "wrong"));
    }

    [Fact]
    public async Task Certificate_NotTrustedOrForAnotherName_IsNeverTalkedTo()
    {
        var untrusted = await StartAsync(static options => options.CertificateAuthority = null);
        Assert.Equal(503, await StatusAsync(untrusted, "dora", "dora-password"));
        await Eventually.TrueAsync(
            () => _log.Lines.Any(
                static line => line.Contains(
                    "issued by CN=Directory CA, which is not trusted", StringComparison.Ordinal)));

        await using var named = await LdapServerProcess.StartAsync(Entries, host: "ldap.example.test");
        var wrongName = await StartAsync(
            options => (options.Servers, options.CertificateAuthority) = ([named.Ldaps], named.AuthorityFile));
        Assert.Equal(503, await StatusAsync(wrongName, "dora", "dora-password"));
        await Eventually.TrueAsync(
            () => _log.Lines.Any(
                static line => line.Contains("is not for the name 127.0.0.1", StringComparison.Ordinal)));
        Assert.DoesNotContain("BIND dn=\"cn=gateway", named.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StartTls_ThatFails_NeverGoesOnUnencrypted()
    {
        await using var plain = await LdapServerProcess.StartAsync(Entries, hasTls: false);
        var gateway = await StartAsync(options => options.Servers = [plain.Ldap]);
        Assert.Equal(503, await StatusAsync(gateway, "dora", "dora-password"));
        Assert.DoesNotContain("BIND dn=\"cn=gateway", plain.Log, StringComparison.Ordinal);
        await Eventually.TrueAsync(
            () => _log.Lines.Any(static line => line.Contains("does not accept StartTLS", StringComparison.Ordinal)));

        var allowed = await StartAsync(
            options => (options.Servers, options.StartTls, options.AllowPlain) = ([plain.Ldap], false, true));
        Assert.Equal(200, await StatusAsync(allowed, "dora", "dora-password"));
    }

    [Fact]
    public async Task BindAccount_WithAWrongPassword_IsToldTheOperator()
    {
        var gateway = await StartAsync(static options => options.BindPassword = "not it");
        Assert.Equal(503, await StatusAsync(gateway, "dora", "dora-password"));
        await Eventually.TrueAsync(
            () => _log.Lines.Any(
                static line => line.Contains("refuses the password of cn=gateway", StringComparison.Ordinal)
            && line.Contains("bindPasswordFile", StringComparison.Ordinal)));
        Assert.DoesNotContain(_log.Lines, static line => line.Contains("not it", StringComparison.Ordinal));
    }

    [Fact]
    public async Task PersonalToken_HasTheGroupsOfNow_AndEndsWithTheUser()
    {
        var gateway = await StartAsync(static options => options.CacheLifetime = TimeSpan.Zero);
        var secret = await MakeTokenAsync(gateway, "dora", "dora-password");
        Assert.Equal("repository:dev/app:pull,push", await GrantedAsync(gateway, "dora", secret, "dev/app"));

        _server.Modify($"""
            dn: cn=developers,ou=groups,{Base}
            changetype: modify
            replace: member
            member: uid=erik,{People}
            """);
        Assert.Equal("", await GrantedAsync(gateway, "dora", secret, "dev/app"));
        Assert.Equal("repository:dev/app:pull,push", await GrantedAsync(gateway, "erik", "erik-password", "dev/app"));

        _server.Modify($"""
            dn: uid=dora,{People}
            changetype: delete
            """);
        Assert.Equal(401, await StatusAsync(gateway, "dora", secret));
        Assert.Equal(401, await StatusAsync(gateway, "dora", "dora-password"));
    }

    [Fact]
    public async Task Groups_BySearch_MapFilterAndPrefix()
    {
        var gateway = await StartAsync(static options => options.Groups = new LdapGroupOptions
        {
            Attribute = "",
            Base = "ou=groups," + Base,
            Only = ["dev*", "staff"],
            Map = { ["staff"] = "everybody" },
        });
        Assert.Equal(
            "repository:staff/app:pull repository:dev/app:pull,push",
            await GrantedAsync(gateway, "dora", "dora-password", "staff/app", "dev/app"));

        var prefixed = await StartAsync(static options => options.Groups.Prefix = "corp-");
        Assert.Equal("", await GrantedAsync(prefixed, "dora", "dora-password", "staff/app", "dev/app"));
        var flat = await StartAsync(static options => options.Groups.Nested = false);
        Assert.Equal(
            "repository:dev/app:pull,push", await GrantedAsync(flat, "dora", "dora-password", "staff/app", "dev/app"));
    }

    [Fact]
    public async Task Blocked_UserOfADirectory_IsRefused_AndTheOneOfTheHtpasswdFileIsNot()
    {
        var gateway = await StartAsync(static options => options.Names = NameForm.Qualified);
        var token = await MakeTokenAsync(gateway, "corp/alice", "alice-of-the-directory");
        await gateway.BlockAsync("user:corp/alice");

        Assert.Equal(401, await StatusAsync(gateway, "corp/alice", "alice-of-the-directory"));
        Assert.Equal(401, await StatusAsync(gateway, "corp/alice", token));
        Assert.Equal(200, await StatusAsync(gateway, "alice", "alice-password"));
        Assert.Equal(200, await StatusAsync(gateway, "corp/erik", "erik-password"));

        await gateway.UnblockAsync("user:corp/alice");
        Assert.Equal(200, await StatusAsync(gateway, "corp/alice", "alice-of-the-directory"));
        Assert.Equal(200, await StatusAsync(gateway, "corp/alice", token));
    }

    private async Task<TestGateway> StartAsync(Action<LdapOptions>? change = null)
    {
        var gateway = await TestGateway.StartAsync(
            _upstream.Address,
            Policy,
            options =>
            {
                var directory = new LdapOptions
                {
                    Servers = [_server.Ldaps],
                    CertificateAuthority = _server.AuthorityFile,
                    BindDn = LdapServerProcess.BindDn,
                    BindPassword = LdapServerProcess.BindPassword,
                    SearchBase = People,
                    Claims = { ["department"] = "departmentNumber" },
                    Timeout = TimeSpan.FromSeconds(10), // the machine may be busy
                };
                change?.Invoke(directory);
                options.Authentication.Ldap["corp"] = directory;
                options.Log.Level = Microsoft.Extensions.Logging.LogLevel.Information;
            },
            builder => builder.Services.AddSingleton<Microsoft.Extensions.Logging.ILoggerProvider>(_log));
        _gateways.Add(gateway);
        return gateway;
    }

    private int Binds(string name) => _server.Log.Split('\n').Count(line =>
        line.Contains($"BIND dn=\"uid={name},", StringComparison.Ordinal)
            && line.Contains("method=128", StringComparison.Ordinal));

    private static string Basic(string user, string password) =>
        "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"));

    private static async Task<int> StatusAsync(TestGateway gateway, string user, string password) =>
        (int)(await gateway.AskAsync("", Basic(user, password))).Status;

    private async Task<string?> GrantedAsync(
        TestGateway gateway, string user, string password, params string[] repositories)
    {
        var scopes = string.Join('&', repositories.Select(static name => $"scope=repository:{name}:pull,push,delete"));
        var reply = await gateway.AskAsync("?" + scopes, Basic(user, password));
        Assert.True(reply.Status == HttpStatusCode.OK, reply.Body + string.Join('\n', _log.Lines));
        return reply.Text("scope");
    }

    private static async Task<string> MakeTokenAsync(TestGateway gateway, string user, string password)
    {
        var reply = await ReplyAsync(gateway.SendAsync(
            HttpMethod.Post,
            "/api/v1/tokens",
            null,
            new StringContent("""{"name":"laptop","scopes":null}""", Encoding.UTF8, "application/json"),
            ("Authorization", Basic(user, password))));
        Assert.True(reply.Status == HttpStatusCode.Created, reply.Body);
        return reply.Text("secret")!;
    }
}
