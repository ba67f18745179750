using FsCheck;
using FsCheck.Fluent;
using Gateway.Core.Authorization;
using Gateway.Core.Tests.Support;

namespace Gateway.Core.Tests.Authorization;

/// <summary>What must hold for every policy: the index is right, order means nothing, access moves one way.</summary>
public sealed class PolicySetPropertyTests
{
    private const int QuestionsEach = 40;

    private static readonly Gen<(PolicyDefinition Policy, AccessRequest[] Questions)> Cases =
        from policy in PolicyGenerators.Policy
        from questions in PolicyGenerators.Question.ArrayOf(QuestionsEach)
        select (policy, questions);

    [Fact]
    public void Evaluate_AnyPolicy_AnswersAsRuleByRuleReadingDoes() => Check(2_000, Cases, static test =>
    {
        var policy = PolicySet.Compile(test.Policy);
        var naive = new NaivePolicy(test.Policy);
        var granting = new NaivePolicy(test.Policy with
        {
            Rules = [.. test.Policy.Rules.Where(static rule => rule.Effect == RuleEffect.Allow)],
        });
        foreach (var question in test.Questions)
        {
            var decision = policy.Evaluate(in question);
            Assert.Equal(naive.Allows(question), decision.IsAllowed);
            Assert.Equal(decision.IsAllowed, decision.Missing == RepositoryActions.None);
            Assert.True((decision.Missing & ~question.Actions) == 0);

            // The rule a decision names is one that matches.
            var named = test.Policy.Rules.SingleOrDefault(rule => rule.Identity == decision.Rule);
            Assert.True(named is null ? !decision.IsAllowed : naive.Matches(named, question));
            Assert.True(named is null || decision.IsAllowed == (named.Effect == RuleEffect.Allow));

            // A deny is named only where it alone is in the way; else what no rule grants.
            var ungranted = granting.Ungranted(question);
            Assert.Equal(
                ungranted, decision.IsAllowed || named is not null ? RepositoryActions.None : decision.Missing);
        }
    });

    [Fact]
    public void Evaluate_RulesAndGroupsShuffled_AnswersTheSame() => Check(
        500,
        from test in Cases
        from rules in Gen.Shuffle<PolicyRule>([.. test.Policy.Rules])
        from groups in Gen.Shuffle<PolicyGroup>([.. test.Policy.Groups])
        select (test.Policy, Shuffled: new PolicyDefinition([.. rules], [.. groups]), test.Questions),
        static test =>
        {
            var policy = PolicySet.Compile(test.Policy);
            var shuffled = PolicySet.Compile(test.Shuffled);
            foreach (var question in test.Questions)
            {
                Assert.Equal(policy.Evaluate(in question), shuffled.Evaluate(in question));
                Assert.Equal(policy.Explain(in question).Reason, shuffled.Explain(in question).Reason);
            }
        });

    [Fact]
    public void Evaluate_AllowTakenOut_NeverAddsAccess() => Check(1_000, Cases, static test =>
        AssertNeverAdds(test.Policy, Without(test.Policy, RuleEffect.Allow), test.Questions));

    [Fact]
    public void Evaluate_DenyPutIn_NeverAddsAccess() => Check(1_000, Cases, static test =>
        AssertNeverAdds(Without(test.Policy, RuleEffect.Deny), test.Policy, test.Questions));

    [Fact]
    public void DependsOnTag_AnswersDifferByTag_IsTrue() => Check(1_000, Cases, static test =>
    {
        var policy = PolicySet.Compile(test.Policy);
        foreach (var question in test.Questions)
        {
            var answers = PolicyGenerators.Tags.Append("another").Select(PolicyBuilder.TagOf).Append(TagScope.None)
                .Select(tag => policy.Evaluate(With(question, question.Actions, tag)).IsAllowed).Distinct();
            if (answers.Count() > 1)
            {
                Assert.True(policy.DependsOnTag(in question));
            }
        }
    });

    [Fact]
    public void HasAnyGrant_AnythingIsAllowed_IsTrue() => Check(500, Cases, static test =>
    {
        var policy = PolicySet.Compile(test.Policy);
        Assert.All(test.Questions, question => Assert.True(
            policy.HasAnyGrant(question.Subject) || !policy.Evaluate(in question).IsAllowed));
    });

    [Fact]
    public void Grantable_AnyPolicy_IsWhatItWouldAllowIfAllowsKnewNoTagsAndDeniesOnlyTheirTags() =>
        Check(1_000, Cases, static test =>
    {
        var policy = PolicySet.Compile(test.Policy);
        var tagless = PolicySet.Compile(test.Policy with
        {
            Rules =
            [
                .. test.Policy.Rules
                    .Where(static rule => rule.Effect == RuleEffect.Allow || rule.Tags.IsEmpty)
                    .Select(static rule => rule with { Tags = [] }),
            ],
        });
        foreach (var question in test.Questions)
        {
            var grantable = policy.Grantable(With(question, ActionNames.All, TagScope.None));
            foreach (var action in ActionNames.Names.Select(ActionOf))
            {
                var asked = With(question, action, TagScope.None);
                Assert.Equal(tagless.Evaluate(in asked).IsAllowed, (grantable & action) != 0);
                Assert.Equal(grantable & action, policy.Grantable(in asked)); // asking for less gives no more

                // A token never lacks what some request could do with it.
                var someTagAllows = PolicyGenerators.Tags.Select(PolicyBuilder.TagOf).Append(TagScope.None)
                    .Any(tag => policy.Evaluate(With(question, action, tag)).IsAllowed);
                Assert.True(!someTagAllows || (grantable & action) != 0);
            }
        }
    });

    [Fact]
    public void IsPicked_AnySelector_SaysWhatARuleForItSays() => Check(500, Cases, static test =>
    {
        var groups = test.Policy with { Rules = [] };
        foreach (var selector in test.Policy.Rules.SelectMany(static rule => rule.To).Distinct())
        {
            var rule = new PolicyRule
            {
                Identity = new RuleIdentity("", "test.yaml", 1),
                Effect = RuleEffect.Allow,
                Actions = RepositoryActions.Pull,
                To = [selector],
                On = [RepositoryPattern.Parse("**")],
            };
            var policy = PolicySet.Compile(groups with { Rules = [rule] });
            Assert.All(test.Questions, question => Assert.Equal(
                policy.Evaluate(With(question, RepositoryActions.Pull, TagScope.None)).IsAllowed,
                PolicySet.Compile(groups).IsPicked(question.Subject, new SubjectSelectorSet([selector]))));
        }
    });

    [Fact]
    public void Explain_AnyPolicy_CarriesTheSameDecisionAndTrueMatches() => Check(500, Cases, static test =>
    {
        var policy = PolicySet.Compile(test.Policy);
        var naive = new NaivePolicy(test.Policy);
        foreach (var question in test.Questions)
        {
            var explanation = policy.Explain(in question);
            Assert.Equal(policy.Evaluate(in question), explanation.Decision);
            Assert.All(explanation.Matches, match => Assert.True(
                naive.Matches(test.Policy.Rules.Single(rule => rule.Identity == match.Rule), question)));
        }
    });

    private static PolicyDefinition Without(PolicyDefinition policy, RuleEffect effect)
    {
        var first = policy.Rules.FirstOrDefault(rule => rule.Effect == effect);
        return first is null ? policy : policy with { Rules = policy.Rules.Remove(first) };
    }

    private static void AssertNeverAdds(PolicyDefinition before, PolicyDefinition after, AccessRequest[] questions)
    {
        var (wide, narrow) = (PolicySet.Compile(before), PolicySet.Compile(after));
        Assert.All(questions, question => Assert.True(
            wide.Evaluate(in question).IsAllowed || !narrow.Evaluate(in question).IsAllowed));
    }

    private static RepositoryActions ActionOf(string name) =>
        ActionNames.TryParse(name, out var action) ? action : throw new ArgumentException(name);

    private static AccessRequest With(AccessRequest request, RepositoryActions actions, TagScope tag) => new()
    {
        Subject = request.Subject,
        Registry = request.Registry,
        Repository = request.Repository,
        Actions = actions,
        Tag = tag,
        ClientAddress = request.ClientAddress,
        Time = request.Time,
    };

    private static void Check<T>(int count, Gen<T> cases, Action<T> body) =>
        FsCheck.Check.One(Config.QuickThrowOnFailure.WithMaxTest(count), Prop.ForAll(cases.ToArbitrary(), body));
}
