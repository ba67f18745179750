using System.Net;
using Gateway.Core.Authorization;
using Gateway.Core.Tests.Support;
using static Gateway.Core.Tests.Support.PolicyBuilder;

namespace Gateway.Core.Tests.Authorization;

public sealed class PolicySetTests
{
    private const RepositoryActions Pull = RepositoryActions.Pull;
    private const RepositoryActions Push = RepositoryActions.Push;
    private const RepositoryActions Overwrite = RepositoryActions.Overwrite;
    private const RepositoryActions Delete = RepositoryActions.Delete;

    [Fact]
    public void Evaluate_NoRules_RefusesEverybodyEverything()
    {
        foreach (var subject in new[] { Alice, Subject.Anonymous, Robot("ci") })
        {
            var decision = PolicySet.Empty.Evaluate(Ask(subject, Pull, "app"));

            Assert.Equal(new AccessDecision(false, null, Pull), decision);
        }
    }

    [Fact]
    public void Evaluate_NoOrUnknownActions_AreRefused()
    {
        var policy = Policy(Allow("all", "everyone", Owner, "**"));

        Assert.False(policy.Allows(Alice, RepositoryActions.None, "app"));
        Assert.False(policy.Allows(Alice, (RepositoryActions)16, "app"));
        Assert.False(policy.Allows(Alice, (RepositoryActions)16 | Pull, "app"));
        Assert.True(policy.Allows(Alice, Pull, "app"));
    }

    [Fact]
    public void Evaluate_SelectorKinds_PickWhoTheyNameAndNobodyElse()
    {
        var robot = Robot("alice");
        var workload = Workload("alice", "github");
        var member = User("carol", "team");
        var subjects = new[] { Subject.Anonymous, Alice, Bob, robot, workload, member };

        Assert.Equal([Alice], Picked("user:alice"));
        Assert.Equal([robot], Picked("robot:alice"));
        Assert.Equal([member], Picked("group:team"));
        Assert.Equal([workload], Picked("issuer:github"));
        Assert.Equal([Subject.Anonymous], Picked("anonymous"));
        Assert.Equal([Alice, Bob, robot, workload, member], Picked("authenticated"));
        Assert.Equal(subjects, Picked("everyone"));
        Assert.Equal([Alice, Bob], Picked("user:alice user:bob"));
        Assert.Equal([], Picked("user:Alice"));
        Assert.Equal([], Picked("group:alice"));
        Assert.Equal([], Picked("issuer:git"));

        Subject[] Picked(string to)
        {
            var policy = Policy(Allow("rule", to, Reader, "app"));
            return [.. subjects.Where(subject => policy.Allows(subject, Pull, "app"))];
        }
    }

    [Fact]
    public void Evaluate_Groups_HoldUsersRobotsAndNestedGroupsFromFilesAndProviders()
    {
        var policy = Policy(
            [
                Group("team", "user:alice robot:ci group:leads"), Group("leads", "user:bob group:external"),
                Group("team2", "user:eve"),
            ],
            Allow("rule", "group:team", Reader, "app"));

        Assert.True(policy.Allows(Alice, Pull, "app"));
        Assert.True(policy.Allows(Bob, Pull, "app"));
        Assert.True(policy.Allows(Robot("ci"), Pull, "app"));
        Assert.True(policy.Allows(User("dora", "external"), Pull, "app"));
        Assert.True(policy.Allows(User("dora", "team"), Pull, "app"));
        Assert.False(policy.Allows(User("dora", "team2"), Pull, "app"));
        Assert.False(policy.Allows(User("eve"), Pull, "app"));
        Assert.False(policy.Allows(Robot("alice"), Pull, "app"));
        Assert.False(policy.Allows(User("ci"), Pull, "app"));
    }

    [Fact]
    public void Evaluate_GroupsInACircle_Ends()
    {
        var policy = Policy(
            [Group("a", "group:b user:alice"), Group("b", "group:a")], Allow("rule", "group:b", Reader, "app"));

        Assert.True(policy.Allows(Alice, Pull, "app"));
        Assert.False(policy.Allows(Bob, Pull, "app"));
    }

    [Fact]
    public void Evaluate_PushGranted_BringsPullAndOverwriteButNotDelete()
    {
        var policy = Policy(Allow("rule", "user:alice", Push, "app"));

        Assert.True(policy.Allows(Alice, Pull | Push | Overwrite, "app", TagOf("v1")));
        Assert.False(policy.Allows(Alice, Delete, "app", TagOf("v1")));
    }

    [Fact]
    public void Evaluate_OverwriteGrantedWithoutPush_GivesNothing()
    {
        var policy = Policy(Allow("rule", "user:alice", Overwrite, "app"));

        Assert.False(policy.Allows(Alice, Overwrite, "app", TagOf("v1")));
        Assert.False(policy.Allows(Alice, Pull, "app", TagOf("v1")));
    }

    [Fact]
    public void Evaluate_OneOfSeveralActionsMissing_RefusesAndNamesIt()
    {
        var policy = Policy(Allow("read", "user:alice", Reader, "app"));

        Assert.Equal(new AccessDecision(false, null, Push), policy.Evaluate(Ask(Alice, Pull | Push, "app")));
    }

    [Theory]
    [InlineData(Pull, Pull | Push | Overwrite)]
    [InlineData(Push, Push | Overwrite)]
    [InlineData(Overwrite, Overwrite)]
    [InlineData(Delete, Delete)]
    public void Evaluate_Denied_TakesWhatNeedsTheActionAndLeavesTheRest(
        RepositoryActions denied, RepositoryActions taken)
    {
        var policy = Policy(Allow("own", "everyone", Owner, "**"), Deny("no", "", denied, "app"));

        foreach (var action in new[] { Pull, Push, Overwrite, Delete })
        {
            Assert.Equal((taken & action) == 0, policy.Allows(Alice, action, "app", TagOf("v1")));
            Assert.True(policy.Allows(Alice, action, "other", TagOf("v1")));
        }

        Assert.Equal("no", policy.Evaluate(Ask(Alice, denied, "app", TagOf("v1"))).Rule!.Name);
    }

    [Fact]
    public void Evaluate_Unless_ExemptsFromDenyAndFromAllow()
    {
        var policy = Policy(
            Allow("all", "authenticated", Owner, "**").Unless("user:bob"),
            Deny("frozen", "", Delete, "**").Unless("user:alice"));

        Assert.True(policy.Allows(Alice, Delete, "app"));
        Assert.False(policy.Allows(User("carol"), Delete, "app"));
        Assert.True(policy.Allows(User("carol"), Push, "app"));
        Assert.False(policy.Allows(Bob, Pull, "app"));
    }

    [Fact]
    public void Evaluate_AllowWithoutTo_PicksNobody()
    {
        Assert.False(Policy(Allow("rule", "", Reader, "**")).Allows(Alice, Pull, "app"));
    }

    [Fact]
    public void Evaluate_SubjectPattern_OpensTheOwnNamespaceOnlyToTheUserItself()
    {
        var policy = Policy(Allow("own", "everyone", Owner, "users/${subject}/**"));

        Assert.True(policy.Allows(Alice, Owner, "users/alice/app"));
        Assert.False(policy.Allows(Alice, Pull, "users/bob/app"));
        Assert.False(policy.Allows(Subject.Anonymous, Pull, "users/alice/app"));

        // Same name, other kind of caller: not the owner of the user's namespace.
        Assert.False(policy.Allows(Robot("alice"), Pull, "users/alice/app"));
        Assert.False(policy.Allows(Workload("alice", "github"), Pull, "users/alice/app"));
    }

    [Theory]
    [InlineData("a/b", "users/a/b/app")]
    [InlineData("*", "users/x/app")]
    [InlineData("**", "users/x/app")]
    [InlineData("", "users/app")]
    [InlineData("Alice", "users/alice/app")]
    public void Evaluate_SubjectNameIsNoSegment_MatchesNothing(string name, string repository)
    {
        var policy = Policy(Allow("own", "everyone", Owner, "users/${subject}/**"));

        Assert.False(policy.Allows(User(name), Pull, repository));
    }

    [Fact]
    public void Evaluate_TagLimitedAllow_FollowsTheTableOfTagScopes()
    {
        var policy = Policy(Allow("dev", "user:alice", Owner, "app").ForTags("dev-*"));

        Assert.True(policy.Allows(Alice, Owner | Overwrite, "app", TagOf("dev-1")));
        Assert.False(policy.Allows(Alice, Pull, "app", TagOf("v1")));
        Assert.True(policy.Allows(Alice, Pull | Push, "app", TagScope.None));
        Assert.False(policy.Allows(Alice, Delete, "app", TagScope.None));
        Assert.False(policy.Allows(Alice, Overwrite, "app", TagScope.None));
        Assert.False(policy.Allows(Alice, Delete, "app", TagScope.Unknown));
    }

    [Fact]
    public void Evaluate_TagLimitedDeny_FollowsTheTableOfTagScopes()
    {
        var policy = Policy(
            Allow("own", "user:alice", Owner, "app"), Deny("immutable", "", Overwrite | Delete, "**").ForTags("v*"));

        Assert.False(policy.Allows(Alice, Overwrite, "app", TagOf("v1")));
        Assert.True(policy.Allows(Alice, Pull | Push, "app", TagOf("v1")));
        Assert.True(policy.Allows(Alice, Overwrite, "app", TagOf("latest")));
        Assert.True(policy.Allows(Alice, Delete, "app", TagOf("latest")));
        Assert.True(policy.Allows(Alice, Delete, "app", TagScope.None));
        Assert.False(policy.Allows(Alice, Delete, "app", TagScope.Unknown));
    }

    [Fact]
    public void Evaluate_Registries_LimitTheRule()
    {
        var policy = Policy(Allow("rule", "everyone", Reader, "**") with { Registries = ["main"] });

        Assert.True(policy.Evaluate(Ask(Alice, Pull, "app", registry: "main")).IsAllowed);
        Assert.False(policy.Evaluate(Ask(Alice, Pull, "app", registry: "mirror")).IsAllowed);
    }

    [Theory]
    [InlineData("10.1.2.3", true)]
    [InlineData("11.1.2.3", false)]
    [InlineData("2001:db8::7", true)]
    [InlineData("2001:db9::7", false)]
    public void Evaluate_AddressCondition_HoldsInsideItsNetworks(string address, bool inside)
    {
        var conditions = new RuleConditions
        {
            Addresses = [IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("2001:db8::/32")],
        };
        var allow = Policy(Allow("rule", "everyone", Reader, "**").When(conditions));
        var deny = Policy(Allow("all", "everyone", Reader, "**"), Deny("rule", "", Pull, "**").When(conditions));

        Assert.Equal(inside, allow.Evaluate(Ask(Alice, Pull, "app", address: address)).IsAllowed);
        Assert.Equal(!inside, deny.Evaluate(Ask(Alice, Pull, "app", address: address)).IsAllowed);
    }

    [Fact]
    public void Evaluate_MethodCondition_HoldsForItsMethods()
    {
        var policy = Policy(Allow("rule", "authenticated", Reader, "**").When(
            new RuleConditions { Methods = [new Glob("htpasswd"), new Glob("ldap:*")] }));

        Assert.True(policy.Allows(Alice, Pull, "app"));
        Assert.True(policy.Allows(Alice with { Method = "ldap:corp" }, Pull, "app"));
        Assert.False(policy.Allows(Alice with { Method = "oidc:keycloak" }, Pull, "app"));
        Assert.False(policy.Allows(Alice with { Method = "HTPASSWD" }, Pull, "app"));
    }

    [Fact]
    public void Evaluate_ClaimCondition_IsAnchoredAndCaseSensitive()
    {
        var policy = Policy(Allow("ci", "issuer:github", Writer, "acme/app")
            .WhenClaim("repository", "acme/app").WhenClaim("ref", "refs/heads/main", "refs/tags/v*"));

        Assert.True(Allowed("acme/app", "refs/heads/main"));
        Assert.True(Allowed("acme/app", "refs/tags/v1"));
        Assert.False(Allowed("acme/app", "refs/heads/main2"));
        Assert.False(Allowed("acme/app", "x/refs/heads/main"));
        Assert.False(Allowed("acme/app", "refs/heads/Main"));
        Assert.False(Allowed("evil/app", "refs/heads/main"));
        Assert.False(
            policy.Allows(
                Workload("w", "gitlab", ("repository", "acme/app"), ("ref", "refs/heads/main")), Push, "acme/app"));
        Assert.False(policy.Allows(Workload("w", "github", ("repository", "acme/app")), Push, "acme/app"));

        bool Allowed(string repository, string @ref) =>
            policy.Allows(Workload("w", "github", ("repository", repository), ("ref", @ref)), Push, "acme/app");
    }

    [Fact]
    public void Evaluate_DenyWithClaimThatTheCallerLacks_Refuses()
    {
        var policy = Policy(
            Allow("all", "authenticated", Writer, "**"),
            Deny("no pull requests", "issuer:github", Push, "prod/**").WhenClaim("event", "pull_request"));

        Assert.False(policy.Allows(Workload("w", "github", ("event", "pull_request")), Push, "prod/app"));
        Assert.False(policy.Allows(Workload("w", "github"), Push, "prod/app"));
        Assert.True(policy.Allows(Workload("w", "github", ("event", "push")), Push, "prod/app"));
        Assert.True(policy.Allows(Alice, Push, "prod/app"));
    }

    [Fact]
    public void Evaluate_SubjectChangedByWith_IsJudgedAnew()
    {
        // What is worked out once for a subject must not stick to a copy with other groups.
        var policy = Policy(Allow("rule", "group:team", Reader, "app"));
        var member = User("carol", "team");

        Assert.True(policy.Allows(member, Pull, "app"));
        Assert.False(policy.Allows(member with { Groups = [] }, Pull, "app"));
    }

    [Fact]
    public void Evaluate_SeveralRulesMatch_NamesTheFirstByNameThatGrantsTheStrongestAction()
    {
        var policy = Policy(
            Allow("a reads", "everyone", Reader, "**"),
            Allow("c writes", "everyone", Writer, "**"),
            Allow("b writes", "everyone", Writer, "app"));

        Assert.Equal("b writes", policy.Evaluate(Ask(Alice, Pull | Push, "app")).Rule!.Name);
        Assert.Equal("a reads", policy.Evaluate(Ask(Alice, Pull, "app")).Rule!.Name);
    }

    [Fact]
    public void MayPullAnything_TagLimitedReader_SeesTheRepositoryInTheCatalog()
    {
        var policy = Policy(
            Allow("dev", "user:alice", Reader, "app").ForTags("dev-*"),
            Allow("open", "user:alice", Reader, "closed"),
            Deny("closed", "", Pull, "closed"));

        Assert.True(policy.MayPullAnything(Ask(Alice, Delete, "app")));
        Assert.False(policy.MayPullAnything(Ask(Bob, Pull, "app")));
        Assert.False(policy.MayPullAnything(Ask(Alice, Pull, "closed")));
    }

    [Fact]
    public void HasAnyGrant_SomeAllowPicksTheSubject_IsTrueForThatSubjectOnly()
    {
        var policy = Policy(
            [Group("team", "user:bob")],
            Allow("a", "user:alice", Reader, "app").When(
                new RuleConditions { Addresses = [IPNetwork.Parse("10.0.0.0/8")] }),
            Allow("b", "group:team", Reader, "app"),
            Allow("c", "issuer:github", Reader, "app").WhenClaim("repository", "acme/app"),
            Deny("d", "user:eve", Pull, "**"));

        Assert.True(policy.HasAnyGrant(Alice));
        Assert.True(policy.HasAnyGrant(Bob));
        Assert.True(policy.HasAnyGrant(Workload("w", "github", ("repository", "acme/app"))));
        Assert.False(policy.HasAnyGrant(Workload("w", "gitlab", ("repository", "acme/app"))));
        Assert.False(policy.HasAnyGrant(Workload("w", "github", ("repository", "acme/other"))));
        Assert.False(policy.HasAnyGrant(User("eve")));
        Assert.False(policy.HasAnyGrant(Subject.Anonymous));
        Assert.False(PolicySet.Empty.HasAnyGrant(Alice));
    }

    [Fact]
    public void DependsOnTag_OnlyWhereATagCouldChangeTheAnswer_IsTrue()
    {
        var policy = Policy(
            Allow("own", "user:alice", Owner, "**"),
            Allow("dev", "user:bob", Owner, "app").ForTags("dev-*"),
            Allow("read", "user:bob", Reader, "other"),
            Deny("immutable", "", Delete, "app").ForTags("v*"),
            Deny("hidden", "user:alice", Pull, "hidden").ForTags("secret-*"),
            Deny("frozen", "", Delete, "frozen"),
            Deny("frozen too", "", Delete, "frozen").ForTags("v*"));

        Assert.True(policy.DependsOnTag(Ask(Alice, Delete, "app")));
        Assert.False(policy.DependsOnTag(Ask(Alice, Pull, "app")));
        Assert.True(policy.DependsOnTag(Ask(Bob, Pull, "app")));
        Assert.True(policy.DependsOnTag(Ask(Bob, Delete, "app")));
        Assert.False(policy.DependsOnTag(Ask(Bob, Pull, "other")));
        Assert.False(policy.DependsOnTag(Ask(Bob, Delete, "other")));
        Assert.True(policy.DependsOnTag(Ask(Alice, Pull, "hidden")));
        Assert.False(policy.DependsOnTag(Ask(Alice, Delete, "frozen")));
        Assert.False(policy.DependsOnTag(Ask(User("eve"), Delete, "app")));
    }
}
