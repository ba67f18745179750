using System.Net;
using System.Text;
using Gateway.Core.Authorization;
using Gateway.Server.SignIn.Authentication;

namespace Gateway.Tests.Server.SignIn.Authentication;

/// <summary>Several methods at once: their order, realms, names that two of them know, and one that is away.</summary>
public class SignInMethodsTests
{
    private readonly Source _file = new("htpasswd", "alice");
    private readonly Source _corp = new("ldap:corp", "bob");
    private readonly Source _lab = new("ldap:lab", "carol");
    private readonly AuthenticationOptions _options = new();

    [Fact]
    public async Task Ask_InConfiguredOrder_AndTheFirstThatKnowsTheNameDecides()
    {
        _corp.Names.Add("alice");
        _options.Order = ["ldap:corp", "htpasswd"];
        Assert.Equal("ldap:corp", (await Accept("alice", "ldap:corp")).Method);
        await Refuse("alice", "htpasswd"); // not asked: the name is the directory's own

        _options.Order = [];
        Assert.Equal("htpasswd", (await Accept("alice", "htpasswd")).Method);
        await Refuse("alice", "ldap:corp");
    }

    [Fact]
    public async Task Ask_WithRealm_AsksThatMethodAlone()
    {
        Assert.Equal("bob", (await Accept("corp/bob", "ldap:corp")).Name);
        await Refuse("lab/bob", "ldap:corp");
        await Refuse("nowhere/bob", "ldap:corp");
        await Refuse("/bob", "ldap:corp");
        Assert.Equal("alice", (await Accept("htpasswd/alice", "htpasswd")).Name);
    }

    [Fact]
    public async Task Collision_Refused_SaysWhichSourcesKnowTheName()
    {
        _corp.Names.Add("alice");
        var refused = await Refuse("corp/alice", "ldap:corp");
        Assert.Equal("htpasswd, which comes before ldap:corp, knows the name too", refused.Reason);
        Assert.Contains("htpasswd", refused.Message, StringComparison.Ordinal);
        Assert.Equal("htpasswd", (await Accept("alice", "htpasswd")).Method); // whose name it is goes on
    }

    [Fact]
    public async Task Collision_NameOfOneWhoMayComeBack_IsNotFree()
    {
        _corp.Names.Add("dora");
        Assert.Equal("dora", (await Accept("corp/dora", "ldap:corp")).Name); // known to nobody before it
        _file.Lapsed.Add("dora");
        Assert.Contains("another source", (await Refuse("corp/dora", "ldap:corp")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Collision_Same_IsOnePersonByTwoDoors()
    {
        _corp.Names.Add("alice");
        _options.Collisions = NameCollisions.Same;
        Assert.Equal("ldap:corp", (await Accept("corp/alice", "ldap:corp")).Method);
        Assert.Equal("htpasswd", (await Accept("alice", "htpasswd")).Method);
    }

    [Fact]
    public async Task Undecided_AndNoOtherAccepts_IsUndecided()
    {
        _corp.IsUnavailable = true;
        Assert.IsType<AuthenticationResult.Undecided>(await Ask("bob", "ldap:corp"));
        Assert.IsType<AuthenticationResult.Undecided>(await Ask("nobody", "x"));
        // perhaps the directory would say yes
        Assert.IsType<AuthenticationResult.Undecided>(await Ask("carol", "wrong"));
    }

    [Fact]
    public async Task Undecided_EarlierSource_DoesNotKeepOutThoseBeforeIt()
    {
        _corp.IsUnavailable = true;
        Assert.Equal("htpasswd", (await Accept("alice", "htpasswd")).Method);
    }

    [Fact]
    public async Task Undecided_EarlierSource_NeverGivesItsNamesToTheNext()
    {
        _corp.Names.Add("dave");
        _lab.Names.Add("dave");
        _corp.IsUnavailable = true;
        Assert.IsType<AuthenticationResult.Undecided>(await Ask("dave", "ldap:lab"));
        Assert.IsType<AuthenticationResult.Undecided>(await Ask("lab/dave", "ldap:lab"));
    }

    [Fact]
    public async Task Undecided_EarlierSource_DoesNotKeepOutWhomItNeverKnew()
    {
        var methods = Methods();
        Assert.IsType<AuthenticationResult.Accepted>(await Ask(methods, "carol", "ldap:lab"));
        _corp.IsUnavailable = true;
        Assert.IsType<AuthenticationResult.Accepted>(await Ask(methods, "carol", "ldap:lab"));
        // another process knows nothing
        Assert.IsType<AuthenticationResult.Undecided>(await Ask(Methods(), "carol", "ldap:lab"));
        _options.Collisions = NameCollisions.Same;
        Assert.IsType<AuthenticationResult.Accepted>(await Ask(Methods(), "carol", "ldap:lab"));
    }

    private SignInMethods Methods() => new([_file, _corp, _lab], [_file, _corp, _lab], _options);

    private async Task<Subject> Accept(string name, string password) =>
        Assert.IsType<AuthenticationResult.Accepted>(await Ask(name, password)).Principal.Subject;

    private async Task<AuthenticationResult.Refused> Refuse(string name, string password) =>
        Assert.IsType<AuthenticationResult.Refused>(await Ask(name, password));

    private Task<AuthenticationResult> Ask(string name, string password) => Ask(Methods(), name, password);

    private static async Task<AuthenticationResult> Ask(SignInMethods methods, string name, string password)
    {
        var header = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{name}:{password}"));
        var authenticator = new CredentialAuthenticator(
            methods, FixedIssued.None, new NoWorkloads(), new FixedTokens(AuthenticationResult.NotMine.Instance),
            new ListLogger<CredentialAuthenticator>());
        return await authenticator.AuthenticateAsync(
            PresentedCredentials.Read(header), new CredentialContext("registry.test", IPAddress.Loopback),
            CancellationToken.None);
    }

    /// <summary>Users whose password is the method's name.</summary>
    private sealed class Source(string method, params string[] names) : ICredentialVerifier, ISubjectSource
    {
        private static readonly AuthenticationResult.Undecided Away = new("it does not answer");

        public HashSet<string> Names { get; } = [.. names];

        public HashSet<string> Lapsed { get; } = [];

        public bool IsUnavailable { get; set; }

        public string Method => method;

        public ValueTask<AuthenticationResult> VerifyAsync(
            BasicCredentials credentials, CancellationToken cancellationToken) =>
            ValueTask.FromResult<AuthenticationResult>(
                IsUnavailable ? Away
                : !Names.Contains(credentials.UserName) ? AuthenticationResult.NotMine.Instance
                : credentials.Password != method ? new AuthenticationResult.Refused("wrong password")
                : new AuthenticationResult.Accepted(new Principal { Subject = SubjectOf(credentials.UserName) }));

        public AuthenticationResult.Refused? FindFault(Subject subject, string? evidence) => null;

        public ValueTask<SubjectState> ResolveAsync(string name, CancellationToken cancellationToken) =>
            ValueTask.FromResult<SubjectState>(
                IsUnavailable ? new SubjectState.Undecided(Away.Reason)
                : Names.Contains(name) ? new SubjectState.Current(SubjectOf(name), null)
                : Lapsed.Contains(name) ? new SubjectState.Gone("ended", "ended", IsNameTaken: true)
                : SubjectState.Gone.Instance);

        private Subject SubjectOf(string name) => new() { Kind = SubjectKind.User, Name = name, Method = method };
    }
}
