using System.Text;
using Gateway.Server.SignIn.Ldap;
using Gateway.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Server.SignIn.Ldap;

/// <summary>
/// Users and groups as a real slapd has them: what counts, and what makes a sign-in undecided instead of smaller.
/// </summary>
public sealed class LdapDirectoryTests : IAsyncLifetime
{
    private const string Base = LdapServerProcess.Base;
    private const string People = "ou=people," + Base;
    private const string Groups = "ou=groups," + Base;

    private const string Entries = $"""
        dn: uid=dora,{People}
        objectClass: inetOrgPerson
        uid: dora
        cn: Dora
        sn: Example
        employeeType: staff
        userPassword: pässwörd

        dn: cn=named twice,{People}
        objectClass: inetOrgPerson
        cn: named twice
        uid: twice
        uid: again
        sn: Example
        userPassword: twice-password

        dn: uid=locked,{People}
        objectClass: inetOrgPerson
        uid: locked
        cn: Locked
        sn: Example
        employeeType: left
        userPassword: locked-password

        dn: cn=developers,{Groups}
        objectClass: groupOfNames
        cn: developers
        member: uid=dora,{People}

        dn: cn=two words\2c and a comma,{Groups}
        objectClass: groupOfNames
        cn: two words, and a comma
        member: uid=dora,{People}

        dn: cn=line,{Groups}
        objectClass: groupOfNames
        cn: line
        cn:: YQpi
        member: cn=developers,{Groups}

        """;

    private LdapServerProcess _server = null!;
    private LdapTrust _trust = null!;

    public async Task InitializeAsync()
    {
        _server = await LdapServerProcess.StartAsync(Entries);
        _trust = LdapTrust.Load(_server.AuthorityFile);
    }

    public async Task DisposeAsync()
    {
        _trust.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Check_PasswordBeyondAscii_IsTheRightOneAsUtf8()
    {
        using var directory = Open();
        var (isKnown, user) = await directory.CheckAsync("dora", "pässwörd");
        Assert.True(isKnown);
        Assert.Equal("dora", user?.Name);
        Assert.Equal((true, null), await directory.CheckAsync("dora", "passwoerd"));
        Assert.Equal((false, null), await directory.CheckAsync("nobody", "pässwörd"));
    }

    [Fact]
    public async Task Check_UserFilter_LeavesOutWhoMayNotSignIn()
    {
        using var all = Open();
        Assert.NotNull((await all.CheckAsync("locked", "locked-password")).User);
        using var staff = Open(
            static options => options.UserFilter = "(&(objectClass=person)(uid={name})(employeeType=staff))");
        Assert.Equal((false, null), await staff.CheckAsync("locked", "locked-password"));
        Assert.NotNull((await staff.CheckAsync("dora", "pässwörd")).User);
    }

    // Two names would be two callers with two sets of grants; nobody can say which is meant.
    [Fact]
    public async Task Find_EntryWithTwoNames_IsUndecidedAndNamesTheEntry()
    {
        using var directory = Open();
        var exception = await Assert.ThrowsAsync<LdapUnavailableException>(() => directory.FindAsync("twice"));
        Assert.False(exception.IsServers);
        Assert.Contains($"cn=named twice,{People}", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Find_BaseThatIsNotThere_SaysWhichSetting()
    {
        using var directory = Open(static options => options.SearchBase = "ou=nowhere," + Base);
        var exception = await Assert.ThrowsAsync<LdapUnavailableException>(() => directory.FindAsync("dora"));
        Assert.Contains("searchBase", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Groups_NestedWithOddNames_AreThoseThatAPolicyCanName()
    {
        using var directory = Open();
        var user = await directory.FindAsync("dora");
        Assert.Contains("developers", user!.Groups);
        Assert.DoesNotContain(user.Groups, static group => group.Contains('\n', StringComparison.Ordinal));
    }

    [Fact]
    public async Task Groups_MoreThanCanBeLookedThrough_AreUndecidedAndNotCutShort()
    {
        var many = new StringBuilder();
        for (var i = 0; i < 1001; i++)
        {
            many.Append(System.Globalization.CultureInfo.InvariantCulture, $"""
                dn: cn=group{i},{Groups}
                objectClass: groupOfNames
                cn: group{i}
                member: uid=dora,{People}


                """);
        }

        _server.Modify(many.ToString(), "-a");
        using var directory = Open();
        var exception = await Assert.ThrowsAsync<LdapUnavailableException>(() => directory.FindAsync("dora"));
        Assert.Contains("more than 1000 groups", exception.Message, StringComparison.Ordinal);
        Assert.False(exception.IsServers); // the server is well: others sign in

        // Those that do not nest and are narrowed are few again.
        using var narrow = Open(static options => options.Groups = new LdapGroupOptions
        {
            Attribute = "",
            Base = Groups,
            Filter = "(&(member={dn})(cn=developers))",
            Nested = false,
        });
        Assert.Equal(["developers"], (await narrow.FindAsync("dora"))!.Groups);
    }

    [Fact]
    public async Task Evidence_ChangesWithTheEntryAndNotWithItsGroups()
    {
        using var directory = Open();
        var before = (await directory.FindAsync("dora"))!.Evidence;
        _server.Modify($"""
            dn: cn=developers,{Groups}
            changetype: delete
            """);
        Assert.Equal(before, (await directory.FindAsync("dora"))!.Evidence);

        _server.Modify($"""
            dn: uid=dora,{People}
            changetype: delete

            dn: uid=dora,{People}
            changetype: add
            objectClass: inetOrgPerson
            uid: dora
            cn: Another Dora
            sn: Example
            """);
        Assert.NotEqual(before, (await directory.FindAsync("dora"))!.Evidence); // another person with the name
    }

    private LdapDirectory Open(Action<LdapOptions>? change = null)
    {
        var options = new LdapOptions
        {
            Servers = [_server.Ldaps],
            CertificateAuthority = _server.AuthorityFile,
            BindDn = LdapServerProcess.BindDn,
            BindPassword = LdapServerProcess.BindPassword,
            SearchBase = People,
            Timeout = TimeSpan.FromSeconds(10), // the machine may be busy
        };
        change?.Invoke(options);
        LdapLibrary.Harden(options.Timeout);
        return new LdapDirectory(
            options,
            [new LdapServer(_server.Ldaps, options, _trust, "ldap:corp", TimeProvider.System, NullLogger.Instance)]);
    }
}
