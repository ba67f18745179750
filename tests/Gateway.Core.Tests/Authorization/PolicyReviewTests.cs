using System.Net;
using FsCheck;
using FsCheck.Fluent;
using Gateway.Core.Authorization;
using Gateway.Core.Tests.Support;
using static Gateway.Core.Tests.Support.PolicyBuilder;

namespace Gateway.Core.Tests.Authorization;

/// <summary>What the review says of a rule is so for every request; where it cannot be sure, it says nothing.</summary>
public sealed class PolicyReviewTests
{
    private const int QuestionsEach = 60;

    private static readonly RepositoryActions[] Single = [
        RepositoryActions.Pull, RepositoryActions.Push, RepositoryActions.Overwrite, RepositoryActions.Delete,
    ];

    // Half of the rules are another one made narrower, so that many cover each other.
    private static readonly Gen<(PolicyDefinition Policy, AccessRequest[] Questions)> Cases =
        from policy in PolicyGenerators.Policy
        from changes in Gen.Choose(0, 9).ArrayOf(policy.Rules.Length)
        from questions in PolicyGenerators.Question.ArrayOf(QuestionsEach)
        select (policy with
        {
            Rules = [
                .. policy.Rules, .. policy.Rules.Select((rule, number) => Narrower(rule, changes[number], number)),
            ],
        }, questions);

    [Fact]
    public void Of_RuleReported_RemovingItChangesNoDecision()
    {
        var reported = new Dictionary<PolicyRemarkKind, int>();
        Check(1_500, Cases, test =>
        {
            var all = PolicySet.Compile(test.Policy);
            foreach (var remark in PolicyReview.FindRemarks(test.Policy).Where(
                static remark => remark.Kind != PolicyRemarkKind.EverybodyWrites))
            {
                reported[remark.Kind] = reported.GetValueOrDefault(remark.Kind) + 1;
                AssertSame(all, Without(test.Policy, [remark.Rule]), test.Questions, remark.Detail);
            }
        });
        Assert.All(
            Enum.GetValues<PolicyRemarkKind>().Where(static kind => kind != PolicyRemarkKind.EverybodyWrites),
            kind => Assert.True(reported.GetValueOrDefault(kind) > 100, $"{kind}"));
    }

    [Fact]
    public void Of_AllThatAreReported_CanBeRemovedTogether() => Check(500, Cases, static test => AssertSame(
        PolicySet.Compile(test.Policy),
        Without(
            test.Policy,
            [
                .. PolicyReview.FindRemarks(test.Policy).Where(
                    static remark => remark.Kind != PolicyRemarkKind.EverybodyWrites).Select(
                        static remark => remark.Rule),
            ]),
        test.Questions,
        "all at once"));

    [Fact]
    public void Of_DenyOfPull_LeavesDelete()
    {
        var deny = Deny("no pull", "", Reader, "**");
        Assert.Empty(Of(deny, Allow("cleaner", "user:alice", RepositoryActions.Delete, "team-a/**")));

        // The neighbours: what the deny does take, and a deny of both.
        Assert.Equal([PolicyRemarkKind.Denied], Of(deny, Allow("writer", "user:alice", Writer, "team-a/**")));
        Assert.Equal(
            [PolicyRemarkKind.Denied],
            Of(Deny("nothing", "", Owner, "**"), Allow("owner", "user:alice", Owner, "team-a/**")));
    }

    [Fact]
    public void Of_Push_BringsOverwrite() => Assert.Equal(
        [PolicyRemarkKind.Redundant],
        Of(
            Allow("push", "user:alice", RepositoryActions.Push, "**"),
            Allow("both", "user:alice", RepositoryActions.Push | RepositoryActions.Overwrite, "a/**")));

    [Fact]
    public void Of_AllowOfOverwriteAlone_IsNotBlamedOnAnother() =>
        Assert.Empty(
            Of(
                Allow("reader", "user:alice", Reader, "**"),
                Allow("mover", "user:alice", RepositoryActions.Overwrite, "a/**")));

    [Fact]
    public void Of_SameRuleThrice_TheFirstStays()
    {
        var rule = Allow("same", "user:alice", Reader, "**");
        var remarks = PolicyReview.FindRemarks(new PolicyDefinition([rule, rule with { }, rule with { }], []));
        Assert.Equal(2, remarks.Count);
    }

    [Fact]
    public void Of_GroupsThatHoldEachOther_OneOfTheirRulesStays()
    {
        PolicyGroup[] groups = [Group("g1", "group:g2"), Group("g2", "group:g3"), Group("g3", "group:g1 user:alice")];
        PolicyRule[] rules = [
            Allow("1", "group:g1", Reader, "**"), Allow("2", "group:g2", Reader, "**"),
            Allow("3", "group:g3", Reader, "**"),
        ];
        var remarks = PolicyReview.FindRemarks(new PolicyDefinition([.. rules], [.. groups]));
        Assert.Equal(["2", "3"], remarks.Select(static remark => remark.Rule.Identity.Name));
    }

    [Fact]
    public void Of_GroupDeclaredTwice_CountsBoth()
    {
        PolicyGroup[] groups = [Group("g", "user:alice"), Group("g", "user:bob")];
        var remarks = PolicyReview.FindRemarks(
            new PolicyDefinition(
                [Allow("1", "group:g", Reader, "**"), Allow("2", "user:bob", Reader, "a/**")], [.. groups]));
        Assert.Equal(PolicyRemarkKind.Redundant, Assert.Single(remarks).Kind);
    }

    public static TheoryData<string, string, string, string> NotCovered => new()
    {
        { "user:alice", "**", "user:alice unless user:bob", "a/**" }, // its own exemption
        { "authenticated", "**", "everyone", "a/**" },
        { "authenticated", "**", "group:g", "a/**" },
        { "robot:alice", "**", "user:alice", "a/**" },
        { "user:alice", "a/**", "user:alice", "a" }, // what lies below is not the thing itself
        { "user:alice", "a/*", "user:alice", "a/b/c" },
        { "user:alice", "users/${subject}/**", "user:alice", "users/alice/**" },
        { "user:alice", "*/b", "user:alice", "a/b" }, // so, and not looked into
    };

    [Theory]
    [MemberData(nameof(NotCovered))]
    public void Of_RuleThatReachesFurther_IsNotRedundant(string to, string on, string otherTo, string otherOn)
    {
        var other = otherTo.Split(" unless ");
        var wide = Allow("wide", to, Reader, on);
        Assert.Empty(Of(other.Length > 1 ? wide.Unless(other[1]) : wide, Allow("other", other[0], Reader, otherOn)));
    }

    [Fact]
    public void Of_RuleWithConditionsTagsOrRegistries_CoversNothingWider()
    {
        var plain = Allow("plain", "user:alice", Reader, "a/**");
        var wide = Allow("wide", "user:alice", Reader, "**");
        Assert.Empty(Of(wide.ForTags("v*"), plain));
        Assert.Empty(Of(wide with { Registries = ["main"] }, plain));
        Assert.Empty(
            Of(wide with { When = new RuleConditions { Addresses = [IPNetwork.Parse("10.0.0.0/8")] } }, plain));

        // The neighbours: what is narrower in the same way.
        Assert.Equal([PolicyRemarkKind.Redundant], Of(wide, plain.ForTags("v*")));
        Assert.Equal(
            [PolicyRemarkKind.Redundant],
            Of(wide with { Registries = ["main", "mirror"] }, plain with { Registries = ["main"] }));
    }

    [Fact]
    public void Of_EverybodyWrites_OnlyWhereItIsSo()
    {
        var open = Allow("open", "authenticated", Writer, "**");
        Assert.Equal([PolicyRemarkKind.EverybodyWrites], Of(open));
        Assert.DoesNotContain(PolicyRemarkKind.EverybodyWrites, Of(open, Deny("none", "", Owner, "**")));
        Assert.DoesNotContain(PolicyRemarkKind.EverybodyWrites, Of(open.Unless("everyone")));
        Assert.Empty(Of(Allow("readers", "everyone", Reader, "**")));
    }

    private static List<PolicyRemarkKind> Of(params PolicyRule[] rules) =>
        [.. PolicyReview.FindRemarks(new PolicyDefinition([.. rules], [])).Select(static remark => remark.Kind)];

    private static PolicyRule Narrower(PolicyRule rule, int change, int number)
    {
        rule = rule with { Effect = RuleEffect.Allow, Identity = rule.Identity with { Name = $"narrower {number}" } };
        return change switch
        {
            0 => rule,
            1 => rule with { Actions = rule.Actions & RepositoryActions.Delete | RepositoryActions.Pull },
            2 => rule with { Registries = ["main"] },
            3 => rule with { Unless = [.. rule.Unless, new SubjectSelector(SubjectSelectorKind.User, "bob")] },
            4 => rule with { Tags = [new Glob("v*")] },
            5 => rule with { To = Selectors("user:alice group:g2") },
            6 => rule with { On = [RepositoryPattern.Parse("a/b"), RepositoryPattern.Parse("a/${subject}")] },
            7 => rule with { Unless = rule.To },
            8 => rule with { When = RuleConditions.None },
            _ => rule with { Actions = RepositoryActions.Delete },
        };
    }

    private static PolicySet Without(PolicyDefinition policy, HashSet<PolicyRule> rules) =>
        PolicySet.Compile(policy with { Rules = [.. policy.Rules.Where(rule => !rules.Contains(rule))] });

    private static void AssertSame(PolicySet before, PolicySet after, AccessRequest[] questions, string what)
    {
        foreach (var question in questions)
        {
            foreach (var action in Single.Append(question.Actions))
            {
                var one = Ask(
                    question.Subject, action, question.Repository.Value, question.Tag,
                    question.ClientAddress.ToString(), question.Time, question.Registry);
                Assert.True(
                    before.Evaluate(in one).IsAllowed == after.Evaluate(in one).IsAllowed,
                    $"{what}: {one.Subject} {action} on {one.Repository}");
            }
        }
    }

    private static void Check<T>(int count, Gen<T> cases, Action<T> body) =>
        FsCheck.Check.One(Config.QuickThrowOnFailure.WithMaxTest(count), Prop.ForAll(cases.ToArbitrary(), body));
}
