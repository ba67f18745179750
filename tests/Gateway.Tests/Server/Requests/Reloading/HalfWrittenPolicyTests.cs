using System.Net;
using System.Text;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Server.Registry.Authorization;
using Gateway.Server.Requests.Reloading;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Server.Requests.Reloading;

/// <summary>While policy files are replaced, however that is done, a deny in them is never lifted.</summary>
public sealed class HalfWrittenPolicyTests : IDisposable
{
    private const string Grant = "rules:\n- { name: all, to: authenticated, role: owner, on: \"**\" }\n";

    private readonly PolicyFiles _files = new(("grant.yaml", Grant), ("deny.yaml", Deny(20)));
    private readonly FakeTimeProvider _clock = new();
    private ServiceProvider? _services;

    public void Dispose()
    {
        _services?.Dispose();
        _files.Dispose();
    }

    [Fact]
    public void Look_FileWrittenInChunks_NeverLiftsItsDeny()
    {
        var policies = Start();
        var random = new Random(15);
        for (var round = 1; round <= 20; round++)
        {
            var text = Encoding.UTF8.GetBytes(Deny(20 + round));
            using (var file = new FileStream(
                PathOf("deny.yaml"), FileMode.Truncate, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0))
            {
                Look(policies);
                for (var at = 0; at < text.Length;)
                {
                    var length = Math.Min(random.Next(1, 200), text.Length - at);
                    file.Write(text, at, length);
                    at += length;
                    Look(policies);
                }
            }

            Look(policies);
            Assert.Equal(21 + round + 1, policies.Current.RuleCount);
            Assert.Empty(policies.Status.Problems);
        }
    }

    // Cut after a rule it looks whole, however long one looks at it; the end that is missing tells.
    [Fact]
    public void Look_FileCutAnywhereAndLeftSo_IsRefusedWhereEndsAreRequired()
    {
        var whole = Deny(2).Replace("rules:", "# a comment first\nrules:", StringComparison.Ordinal) + "...\n";
        _files.Write("grant.yaml", Grant + "...\n");
        _files.Write("deny.yaml", whole);
        var policies = Start(requiresEnd: true);
        for (var length = 0; length < whole.TrimEnd().Length; length++)
        {
            _files.Write("deny.yaml", whole[..length]);
            Look(policies);
            Look(policies);
            Assert.NotEmpty(policies.Status.Problems);
        }

        _files.Write("deny.yaml", whole.TrimEnd()); // the end is there, its line break is not
        Look(policies);
        Look(policies);
        Assert.Empty(policies.Status.Problems);
    }

    [Theory]
    [InlineData("")]
    [InlineData("# only this is there as yet\n")]
    [InlineData("---\n")]
    [InlineData("rules:\n")]
    [InlineData("rules:\n- { name: none but mine, deny: all, on: other }\ngroups:\n")]
    [InlineData("{}\n")]
    public void Look_FileOfWhichNothingIsLeft_IsRefusedAndTheLastGoodOneStays(string text)
    {
        var policies = Start();
        _files.Write("deny.yaml", text);

        Look(policies);
        Look(policies);

        Assert.NotEmpty(policies.Status.Problems);
        Assert.All(
            policies.Status.Problems,
            problem => Assert.StartsWith(PathOf("deny.yaml"), problem.Source, StringComparison.Ordinal));
    }

    [Fact]
    public void Look_FileThatIsMeantToSayNothing_ComesIntoForce()
    {
        var policies = Start();
        _files.Write("deny.yaml", "rules: []\n");

        policies.LookTwice(_clock.Advance);

        Assert.Empty(policies.Status.Problems);
        Assert.True(IsAllowed(policies));
    }

    [Fact]
    public void Look_FileMissingForLessThanASecond_IsNotTakenForRemoved()
    {
        var policies = Start();
        File.Delete(PathOf("deny.yaml"));
        Look(policies);
        Look(policies);
        _files.Write("deny.yaml", Deny(30));
        Look(policies);
        Look(policies);
        Assert.Equal(32, policies.Current.RuleCount);

        File.Delete(PathOf("deny.yaml")); // and stays away
        Look(policies);
        Look(policies);
        policies.Look(_clock.Advance);
        Assert.True(IsAllowed(policies));
    }

    [Fact]
    public void Look_FolderWithoutAnyFileLeft_IsRefused()
    {
        var policies = Start();
        File.Delete(PathOf("grant.yaml"));
        File.Delete(PathOf("deny.yaml"));

        policies.LookTwice(_clock.Advance);
        policies.LookTwice(_clock.Advance);

        Assert.Equal("the folder no longer has a policy file", Assert.Single(policies.Status.Problems).What);
        Assert.Equal(22, policies.Current.RuleCount);
    }

    [Fact]
    public void Start_EmptyFolder_DeniesEverythingAsEver()
    {
        File.Delete(PathOf("grant.yaml"));
        File.Delete(PathOf("deny.yaml"));

        Assert.Equal(0, Start().Current.RuleCount);
    }

    // What editors and rsync keep beside a file changes while somebody works; the files that count need not wait for
    // it.
    [Fact]
    public void Look_OtherFilesChangeAllTheTime_KeepNothingFromBeingRead()
    {
        var policies = Start();
        _files.Write("deny.yaml", Deny(30));
        for (var size = 1; size <= 2; size++)
        {
            foreach (var name in new[] { ".deny.yaml.swp", ".deny.yaml.Xa83nQ", "deny.yaml~", "4913", "notes.txt" })
            {
                _files.Write(name, new string('x', size));
            }

            Look(policies);
        }

        Assert.Equal(32, policies.Current.RuleCount);
    }

    [Fact]
    public void Look_EmptyTestFile_IsRefusedWherePoliciesMustPassTheirTests()
    {
        _files.Write("a.test.yaml", "tests: []\n");
        var policies = Start(tested: true);
        _files.Write("a.test.yaml", "");

        policies.LookTwice(_clock.Advance);

        Assert.StartsWith("no list of tests", Assert.Single(policies.Status.Problems).What, StringComparison.Ordinal);
    }

    /// <summary>A file with one deny at its very end.</summary>
    private static string Deny(int others) => "rules:\n"
        + string.Concat(
            Enumerable.Range(0, others).Select(
                static i => $"- name: rule {i} for others\n  deny: all\n  on: [ \"other-{i}/**\" ]\n"))
        + "- name: the deny\n  deny: [ push, pull ]\n  on: [ \"secret/**\" ]\n";

    private string PathOf(string name) => Path.Combine(_files.Folder, name);

    private void Look(Reloadable<PolicySet> policies)
    {
        policies.Look(_clock.Advance);
        Assert.False(IsAllowed(policies));
    }

    internal static bool IsAllowed(Reloadable<PolicySet> policies) => policies.Current.Evaluate(new AccessRequest
    {
        Subject = new Subject { Kind = SubjectKind.User, Name = "alice", Method = "htpasswd" },
        Registry = "main",
        Repository = RepositoryName.Parse("secret/app"),
        Actions = RepositoryActions.Pull,
        ClientAddress = IPAddress.Loopback,
        Time = new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero),
    }).IsAllowed;

    private Reloadable<PolicySet> Start(bool requiresEnd = false, bool tested = false)
    {
        var source = new PolicySource(_files.Folder, ["main"], requiresEnd, tested);
        _services = new ServiceCollection().AddLogging().AddSingleton<TimeProvider>(_clock)
            .AddGatewayAuthorization(source).BuildServiceProvider();
        return _services.GetRequiredService<Reloadable<PolicySet>>();
    }
}
