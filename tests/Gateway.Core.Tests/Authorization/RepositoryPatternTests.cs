using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Core.Tests.Support;
using static Gateway.Core.Tests.Support.PolicyBuilder;

namespace Gateway.Core.Tests.Authorization;

public sealed class RepositoryPatternTests
{
    [Theory]
    [InlineData("app", "app", true)]
    [InlineData("app", "app2", false)]
    [InlineData("app", "team/app", false)]
    [InlineData("*", "app", true)]
    [InlineData("*", "team/app", false)]
    [InlineData("team-a/*", "team-a/app", true)]
    [InlineData("team-a/*", "team-a/x/app", false)]
    [InlineData("team-a/*", "team-a", false)]
    [InlineData("team-a/**", "team-a/app", true)]
    [InlineData("team-a/**", "team-a/x/y/app", true)]
    [InlineData("team-a/**", "team-a", false)]
    [InlineData("team-a/**", "team-ab/app", false)]
    [InlineData("team-a/**", "x/team-a/app", false)]
    [InlineData("**", "app", true)]
    [InlineData("**", "a/b/c/d", true)]
    [InlineData("**/**", "app", true)]
    [InlineData("**/base", "base", true)]
    [InlineData("**/base", "a/b/base", true)]
    [InlineData("**/base", "a/base/b", false)]
    [InlineData("a/**/z", "a/z", true)]
    [InlineData("a/**/z", "a/b/c/z", true)]
    [InlineData("a/**/z", "a/b/c", false)]
    [InlineData("a/**/m/**/z", "a/m/x/m/z", true)]
    [InlineData("**/m/**", "m/x", true)]
    [InlineData("**/m/**", "a/m", false)]
    [InlineData("**/m/**", "m/m", true)]
    [InlineData("app-*", "app-1", true)]
    [InlineData("app-*", "app-", null)]
    [InlineData("app-*", "app", false)]
    [InlineData("app-*", "app-1/x", false)]
    [InlineData("*-app", "my-app", true)]
    [InlineData("a*b*c", "a1b2c", true)]
    [InlineData("a*b*c", "a1c2b", false)]
    [InlineData("a*a", "a", false)]
    [InlineData("users/${subject}/**", "users/alice/app", true)]
    [InlineData("users/${subject}/**", "users/bob/app", false)]
    [InlineData("users/${subject}/**", "users/alice", false)]
    public void Match_PatternAndRepository_FollowsTheDocumentedMeaning(string pattern, string repository, bool? matches)
    {
        if (matches is null)
        {
            Assert.False(RepositoryName.TryParse(repository, out _));
            return;
        }

        var policy = Policy(Allow("rule", "user:alice", Reader, pattern));

        Assert.Equal(matches, policy.Allows(Alice, RepositoryActions.Pull, repository));
        Assert.Equal(matches, RepositoryPattern.Parse(pattern).Matches(RepositoryName.Parse(repository), "alice"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/app")]
    [InlineData("app/")]
    [InlineData("a//b")]
    [InlineData("a**")]
    [InlineData("a/**b")]
    [InlineData("Team-A/**")]
    [InlineData("app:latest")]
    [InlineData("app@sha256")]
    [InlineData("../app")]
    [InlineData("a..b")]
    [InlineData("-app")]
    [InlineData("app ")]
    [InlineData("äpp")]
    [InlineData("app\n")]
    [InlineData("${user}/**")]
    [InlineData("x-${subject}")]
    [InlineData("$subject")]
    public void TryParse_NotAPattern_SaysWhatWouldBeRight(string text)
    {
        Assert.False(RepositoryPattern.TryParse(text, out _, out var fix));
        Assert.EndsWith(".", fix);
    }

    [Fact]
    public void TryParse_PatternOverTheLimit_IsRefused()
    {
        var longest = string.Concat(Enumerable.Repeat("a/", (RepositoryPattern.MaxLength / 2) - 1)) + "ab";

        Assert.True(RepositoryPattern.TryParse(longest, out _, out _));
        Assert.False(RepositoryPattern.TryParse(longest + "c", out _, out _));
    }

    [Fact]
    public void Match_ManySpanningSegments_StaysQuickForTheLongestRepository()
    {
        // Backtracking would need more than 10^9 steps here.
        var pattern = string.Concat(Enumerable.Repeat("**/a/", 12)) + "b";
        var repository = string.Join('/', Enumerable.Repeat("a", 128));
        var policy = Policy(Allow("rule", "everyone", Reader, pattern));

        Assert.False(policy.Allows(Alice, RepositoryActions.Pull, repository));
        Assert.False(RepositoryPattern.Parse(pattern).Matches(RepositoryName.Parse(repository), null));
        Assert.True(policy.Allows(Alice, RepositoryActions.Pull, repository[..^1] + "b"));
    }
}
