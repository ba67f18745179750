using System.Net;
using Gateway.Core.Authorization;
using Gateway.Core.Tests.Support;
using static Gateway.Core.Tests.Support.PolicyBuilder;

namespace Gateway.Core.Tests.Authorization;

public sealed class PolicyExplanationTests
{
    private const RepositoryActions Push = RepositoryActions.Push;

    [Fact]
    public void Explain_WrongGroup_NamesTheGroup() => AssertNearest(
        "grants push on team-a/**, but only to group team-a",
        Allow("rule", "group:team-a", Writer, "team-a/**"));

    [Fact]
    public void Explain_WrongGroupOfARuleForSeveral_NamesToTheCallerTheRepositoryThatHeAskedAbout() => AssertNearest(
        "grants push on secret/plans, team-a/**, but only to group team-a",
        "grants push on team-a/**, but only to group team-a",
        Allow("rule", "group:team-a", Writer, "secret/plans", "team-a/**"));

    [Fact]
    public void Explain_PatternOneLevelShort_NamesTheSegmentRule() => AssertNearest(
        "grants push on team-a/*, but \"*\" matches within one segment only, so team-a/* does not match team-a/x/app",
        Allow("rule", "user:alice", Writer, "team-a/*"));

    [Fact]
    public void Explain_OtherRepository_NamesTheOwnGrant() => AssertNearest(
        "grants push on team-b/**, but the repository is team-a/x/app",
        Allow("rule", "user:alice", Writer, "team-b/**"));

    [Fact]
    public void Explain_OtherTag_NamesTheTags() => AssertNearest(
        "grants push on **, but only for tags dev-*, rc-*",
        Allow("rule", "user:alice", Writer, "**").ForTags("dev-*", "rc-*"));

    [Fact]
    public void Explain_OtherRegistry_NamesTheRegistry() => AssertNearest(
        "grants push on **, but only in registry mirror",
        Allow("rule", "user:alice", Writer, "**") with { Registries = ["mirror"] });

    [Fact]
    public void Explain_Exempt_NamesTheExemption() => AssertNearest(
        "grants push on **, but not to group interns",
        Allow("rule", "user:alice", Writer, "**").Unless("group:interns"));

    [Fact]
    public void Explain_OtherTime_NamesTheWindow() => AssertNearest(
        "grants push on **, but only on Monday, Friday 08:00 to 24:00 UTC",
        Allow("rule", "user:alice", Writer, "**").When(new RuleConditions
        {
            Time = new TimeWindow(
                [DayOfWeek.Monday, DayOfWeek.Friday], TimeSpan.FromHours(8), TimeSpan.FromHours(24), TimeZoneInfo.Utc),
        }));

    [Fact]
    public void Explain_OtherMethod_NamesBoth() => AssertNearest(
        "grants push on **, but only for sign-in by ldap:*, and this caller's method is htpasswd",
        Allow("rule", "user:alice", Writer, "**").When(new RuleConditions { Methods = [new Glob("ldap:*")] }));

    [Fact]
    public void Explain_OtherAddress_NamesNetworksToTheOperatorOnly() => AssertNearest(
        "grants push on **, but only from 10.0.0.0/8",
        "grants push on **, but only from certain addresses",
        Allow("rule", "user:alice", Writer, "**").When(
            new RuleConditions { Addresses = [IPNetwork.Parse("10.0.0.0/8")] }));

    [Fact]
    public void Explain_OtherClaim_NamesExpectedValuesToTheOperatorOnly() => AssertNearest(
        "grants push on **, but only where claim ref is main, and this caller has dev",
        "grants push on **, but only with certain values of claim ref, and this caller has dev",
        Allow("rule", "user:alice", Writer, "**").WhenClaim("ref", "main"));

    [Fact]
    public void Explain_RuleOfOtherUsers_IsForTheOperatorOnly()
    {
        var policy = Policy(Allow("rule", "user:bob robot:ci", Writer, "team-a/**"));

        var explanation = policy.Explain(Question);

        Assert.Equal(
            """rule "rule" (test.yaml:1) grants push on team-a/**, but only to user bob, robot ci""",
            explanation.NearMisses[0].Text);
        Assert.Null(explanation.NearMisses[0].CallerText);
        Assert.Equal("no rule grants push on team-a/x/app to user:alice", explanation.CallerReason);
    }

    [Fact]
    public void Explain_DeniedExceptToOtherUsers_HidesTheirNamesFromTheCaller()
    {
        var policy = Policy(
            Allow("own", "user:alice", Owner, "**"), Deny("no", "", Push, "**").Unless("user:bob group:admins"));

        var explanation = policy.Explain(Question);

        Assert.Equal(
            """rule "no" (test.yaml:1) denies push on **, except to user bob, group admins""", explanation.Reason);
        Assert.Equal(
            """rule "no" (test.yaml:1) denies push on **, except to group admins, certain users""",
            explanation.CallerReason);
    }

    [Fact]
    public void Explain_TwoThingsWrong_IsNoNearMiss()
    {
        var policy = Policy(
            Allow("rule", "group:team-a", Writer, "team-b/**"),
            Allow("tags", "group:team-a", Writer, "team-a/**").ForTags("dev-*"));

        Assert.Empty(policy.Explain(Question).NearMisses);
    }

    [Fact]
    public void Explain_SeveralMisses_PutsWhatGivesAllAndIsNearestFirst()
    {
        var policy = Policy(
            Allow("a other user", "user:bob", Writer, "team-a/**"),
            Allow("b other repository", "user:alice", Writer, "team-b/**"),
            Allow("c group", "group:team-a", Writer, "team-a/**"),
            Allow("d tag", "user:alice", Writer, "team-a/**").ForTags("dev-*"),
            Allow("e only pull", "group:team-a", Reader, "team-a/**"));

        Assert.Equal(
            ["d tag", "c group", "b other repository", "a other user"],
            policy.Explain(Question).NearMisses.Select(static miss => miss.Rule.Name));
    }

    [Fact]
    public void Explain_Allowed_NamesTheRuleAndNoMisses()
    {
        var policy = Policy(Allow("own", "user:alice", Owner, "**"), Allow("other", "user:bob", Owner, "**"));

        var explanation = policy.Explain(Question);

        Assert.True(explanation.Decision.IsAllowed);
        Assert.Equal("""rule "own" (test.yaml:1) grants push on ** to user alice""", explanation.Reason);
        Assert.Empty(explanation.NearMisses);
    }

    [Fact]
    public void Explain_ManyRules_LooksAtNoMoreThanItsEffort()
    {
        // The only near miss stands behind 2,000 others; a caller's refusal must not pay for finding it.
        var rules = Enumerable.Range(0, 2_000).Select(
            static i => Allow($"a{i:0000}", $"user:u{i}", Reader, "team-a/**"))
            .Append(Allow("z", "group:team-a", Writer, "team-a/**"));
        var policy = Policy([.. rules]);

        Assert.Empty(policy.Explain(Question).NearMisses);
        Assert.Equal("z", Assert.Single(policy.Explain(Question, int.MaxValue).NearMisses).Rule.Name);
    }

    [Fact]
    public void Explain_RulesOfManyPatterns_LooksAtNoMorePatternsThanItsEffort()
    {
        // A list may hold 1,000 patterns: 250 such rules would cost a refusal tens of milliseconds.
        string[] patterns = [.. Enumerable.Range(0, 1_000).Select(static i => $"elsewhere/x{i}/**")];
        var rules = Enumerable.Range(0, 100).Select(i => Allow($"a{i:000}", "group:interns", Writer, patterns))
            .Append(Allow("z", "group:interns", Writer, "team-a/x/other"));
        var policy = Policy([.. rules]);

        Assert.DoesNotContain(policy.Explain(Question).NearMisses, static miss => miss.Rule.Name == "z");
        Assert.Equal("z", policy.Explain(Question, int.MaxValue).NearMisses[0].Rule.Name);
    }

    private static AccessRequest Question => Ask(
        Workload("alice", "none", ("ref", "dev")) with
        {
            Kind = SubjectKind.User,
            Method = "htpasswd",
            Groups = ["interns"],
        },
        Push,
        "team-a/x/app",
        TagOf("v1"));

    private static void AssertNearest(string text, PolicyRule rule) => AssertNearest(text, text, rule);

    private static void AssertNearest(string text, string callerText, PolicyRule rule)
    {
        const string head = "rule \"rule\" (test.yaml:1) ";
        var explanation = Policy(rule).Explain(Question);

        var miss = Assert.Single(explanation.NearMisses);
        Assert.Equal(head + text, miss.Text);
        Assert.Equal(head + callerText, miss.CallerText);
        Assert.Equal("no rule grants push on team-a/x/app to user:alice; nearest: " + head + text, explanation.Reason);
        Assert.Equal(
            "no rule grants push on team-a/x/app to user:alice; nearest: " + head + callerText,
            explanation.CallerReason);
    }
}
