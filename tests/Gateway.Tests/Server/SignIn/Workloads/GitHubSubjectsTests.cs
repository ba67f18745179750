using System.CommandLine;
using Gateway.Commands;
using Gateway.Core.Authorization;
using Gateway.Server.SignIn.Workloads;
using Gateway.Tests.Server.Host.Configuration;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.SignIn.Workloads;

/// <summary>Which patterns of GitHub's <c>sub</c> miss the newer form, and who is told.</summary>
public sealed class GitHubSubjectsTests : IDisposable
{
    private const string GitHub = "https://token.actions.githubusercontent.com";
    private const string Newer = "repo:acme@12/app@34:ref:refs/heads/main";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("repo:acme/app:ref:refs/heads/main")]
    [InlineData("repo:acme/app:*")]
    [InlineData("repo:acme/app*")]
    [InlineData("repo:acme/*")]
    [InlineData("repo:acme/*:ref:refs/heads/main")]
    [InlineData("repo:*/app:*")]
    [InlineData("repo:acme@12/app:*")]
    public void OnlyOlder_PatternThatNoNewerSubjectMatches_IsTold(string pattern)
    {
        Assert.False(new Glob(pattern).Matches(Newer));
        Assert.Equal([pattern], GitHubSubjects.OnlyOlder([pattern]));
    }

    [Theory]
    [InlineData("repo:acme@12/app@34:*")]
    [InlineData("repo:acme@12/*")]
    [InlineData("repo:*:ref:refs/heads/main")]
    [InlineData("repo:acme*/app*:*")]
    [InlineData("*")]
    public void OnlyOlder_PatternThatMatchesTheNewer_IsNotTold(string pattern)
    {
        Assert.True(new Glob(pattern).Matches(Newer));
        Assert.Empty(GitHubSubjects.OnlyOlder([pattern]));
    }

    [Fact]
    public void OnlyOlder_BothForms_OneCoversTheOther()
    {
        Assert.Empty(GitHubSubjects.OnlyOlder(["repo:acme/app:*", "repo:acme@12/app@34:*"]));
        Assert.Empty(GitHubSubjects.OnlyOlder(["repo:acme/app:ref:refs/heads/main", "repo:acme@12/*"]));
        Assert.Equal(["repo:acme/app:*"], GitHubSubjects.OnlyOlder(["repo:acme/app:*", "repo:acme@12/other@35:*"]));
    }

    [Theory]
    [InlineData(GitHub, true)]
    [InlineData(GitHub + "/acme", true)]
    [InlineData("https://token.actions.acme.ghe.com", true)]
    [InlineData("https://token.actions.githubusercontent.com.example.com", false)]
    [InlineData("https://github.example.com/_services/token", false)] // GitHub Enterprise Server
    [InlineData("https://gitlab.com", false)]
    public void IsGitHub_OfAnIssuer_IsByItsHost(string issuer, bool expected) =>
        Assert.Equal(expected, GitHubSubjects.IsGitHub(issuer));

    [Fact]
    public async Task ConfigCheck_RulesAndPoliciesOfTheOlderForm_AreNamedEach()
    {
        var warnings = (await CheckAsync(
            GitHub,
            """
            { name: old, subject: "repo:acme/app:*", as: "{repository}" },
            { name: older, require: { repository_owner_id: "12", sub: "repo:acme/web:*" }, as: "{repository}" }
            """,
            """
            - { name: ci, to: [ "issuer:github" ], role: writer, on: [ "app" ], when: { sub: "repo:acme/app:ref:refs/heads/main" } }
            - { name: nobody, deny: [ push ], on: [ "app" ], when: { who: "repo:acme/web:pull_request" } }
            """,
            "who: sub"))
            // besides that of the deny
            .Where(static line => line.Contains("GitHub jobs", StringComparison.Ordinal)).ToList();

        Assert.Equal(4, warnings.Count);
        Assert.StartsWith(
            "warning: authentication.workloads.github.rules[0].subject: GitHub jobs of repositories created or "
            + "renamed since July 2026 do not match it",
            warnings[0], StringComparison.Ordinal);
        Assert.Contains(
            "(found \"repo:acme/app:*\"). Replace it with require: { repository_owner_id: \"…\" }",
            warnings[0], StringComparison.Ordinal);
        Assert.Contains("github.rules[1].require.sub", warnings[1], StringComparison.Ordinal);
        Assert.Contains("rules.yaml:2: rule \"ci\": sub: GitHub jobs", warnings[2], StringComparison.Ordinal);
        Assert.Contains("rules.yaml:3: rule \"nobody\": who: GitHub jobs", warnings[3], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(GitHub, "repository_owner_id: \"12\"", "issuer:github", "repository_id: \"34\"")]
    [InlineData(
        GitHub, "repository_owner_id: \"12\"", "issuer:github",
        "sub: [ \"repo:acme/app:*\", \"repo:acme@12/app@34:*\" ]")]
    [InlineData(GitHub, "repository_owner_id: \"12\"", "issuer:other", "sub: \"repo:acme/app:*\"")]
    [InlineData(
        GitHub, "repository_owner_id: \"12\"", "issuer:github", "sub: \"repo:acme/app:*\", method: \"issuer:other\"")]
    [InlineData("https://ci.example.com", "sub: \"repo:acme/app:*\"", "issuer:github", "sub: \"repo:acme/app:*\"")]
    public async Task ConfigCheck_IdsOrBothFormsOrAnotherIssuer_SaysNothing(
        string issuer, string require, string to, string when) =>
        Assert.Empty(await CheckAsync(
            issuer,
            "{ name: one, require: { " + require + " }, as: \"{repository}\" }",
            "- { name: ci, to: [ \"" + to + "\" ], role: writer, on: [ app ], when: { " + when + " } }"));

    private async Task<string[]> CheckAsync(string issuer, string rules, string policy, string claims = "")
    {
        TestCertificates.Write(_folder.Path, "registry.example.com");
        _folder.Write("users.htpasswd", "");
        _folder.Write("policies/rules.yaml", "rules:\n" + policy + "\n");
        var file = _folder.Write(
            "gateway.yaml",
            ConfigurationSamples.Minimal.Replace("certs/", "", StringComparison.Ordinal)
                .Replace(
                    "users.htpasswd } }",
                    "users.htpasswd }, workloads: { github: { issuer: \"" + issuer + "\", audience: x, "
                    + "claims: { " + claims + " }, rules: [ " + rules.ReplaceLineEndings(" ") + " ] } } }",
                    StringComparison.Ordinal));
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var code = await GatewayCommand.Create().Parse(["config", "check", file])
            .InvokeAsync(new InvocationConfiguration { Output = output, Error = error });
        Assert.True(code == 0, error.ToString());
        return error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
