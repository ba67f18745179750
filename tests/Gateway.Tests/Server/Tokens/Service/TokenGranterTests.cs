using System.Collections.Immutable;
using System.Net;
using FsCheck;
using FsCheck.Fluent;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Core.Tokens;
using Gateway.Server.Requests.Reloading;
using Gateway.Server.Requests.Routing;
using Gateway.Server.Tokens.Service;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Server.Tokens.Service;

/// <summary>
/// What is granted is what was asked, what the credential may and what policy allows, whichever is less.
/// </summary>
public sealed class TokenGranterTests
{
    private static readonly Subject Alice = new() { Kind = SubjectKind.User, Name = "alice", Method = "htpasswd" };

    private static readonly PublicHost Host = new RegistryRouter(
            new Uri("https://registry.test"), [], [
            new RegistryOptions { Name = "main", Upstreams = [new Uri("http://localhost:1")], Prefix = "a" },
            new RegistryOptions { Name = "mirror", Upstreams = [new Uri("http://localhost:2")], Prefix = "b" },
        ]).PublicHost;

    private static readonly string[] Repositories = ["a/x", "a/y", "b/x", "b/x/z", "c/x"];

    private static readonly Gen<RepositoryActions> Actions = Gen.Choose(1, 15).Select(
        static bits => (RepositoryActions)bits);

    private static readonly Gen<RepositoryActions> AskedActions =
        Actions.Select(static actions => actions & ~RepositoryActions.Overwrite).Where(static actions => actions != 0);

    private static readonly Gen<PolicySet> Policy =
        from rules in (
            from effect in Gen.Elements(RuleEffect.Allow, RuleEffect.Allow, RuleEffect.Deny)
            from actions in Actions
            from to in Gen.Elements("user:alice", "anonymous", "authenticated", "user:bob")
            from @on in Gen.Elements("**", "a/**", "b/**", "*/x", "a/y", "c/**")
            from registry in Gen.Elements("", "", "main", "mirror")
            select new PolicyRule
            {
                Identity = new RuleIdentity("rule", "test.yaml", 1),
                Effect = effect,
                Actions = actions,
                To = [SubjectSelector.TryParse(to, out var selector) ? selector : throw new FormatException(to)],
                On = [RepositoryPattern.Parse(@on)],
                Registries = registry == "" ? [] : [registry],
            }).ListOf(6)
        select PolicySet.Compile(new PolicyDefinition([.. rules], []));

    private static readonly Gen<Principal> Holder =
        from subject in Gen.Elements(Alice, Subject.Anonymous)
        from limits in Gen.Elements<string[]?>(
            null, ["**:pull"], ["a/**:pull,push"], ["a/x:push", "b/**:delete"], ["b/x:pull,delete", "**:pull"])
        select new Principal { Subject = subject, Limit = limits is null ? null : Limit(limits) };

    private static readonly Gen<AccessScope> Asked =
        from items in (
            from repository in Gen.Elements(Repositories)
            from actions in AskedActions
            select new RepositoryScope(RepositoryName.Parse(repository), actions)).ListOf(5)
        from catalog in Gen.Elements(true, false)
        select AccessScope.Create(items, catalog);

    [Fact]
    public void Grant_ByAnyPolicyAndLimit_IsExactlyWhatAllThreeAllow() => Prop.ForAll(
        (from policy in Policy
         from holder in Holder
         from asked in Asked
         select (Policy: policy, Holder: holder, Asked: asked)).ToArbitrary(),
        static test =>
        {
            var granted = Grant(test.Policy, test.Holder, test.Asked);
            foreach (var repository in Repositories.Select(RepositoryName.Parse))
            {
                foreach (var action in new[]
                {
                    RepositoryActions.Pull,
                    RepositoryActions.Push,
                    RepositoryActions.Delete,
                })
                {
                    var expected = Asks(action) && Allows(action)
                        || (action == RepositoryActions.Pull && Asks(RepositoryActions.Push)
                        && Allows(RepositoryActions.Push));
                    if (expected != Named(granted, repository, action))
                    {
                        return false;
                    }

                    bool Asks(RepositoryActions wanted) => Named(test.Asked, repository, wanted);

                    bool Allows(RepositoryActions wanted) =>
                        (test.Holder.Limit is null || test.Holder.Limit.ActionsOn(repository).HasFlag(wanted))
                        && RegistryRouter.FindRegistry(Host, repository) is { } registry
                        && test.Policy.Evaluate(Access(test.Holder.Subject, registry, repository, wanted)).IsAllowed;
                }
            }

            return granted.Catalog == (test.Asked.Catalog && test.Policy.HasAnyGrant(test.Holder.Subject));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(3_000));

    [Fact]
    public void Grant_AskedForAgain_DoesNotGrow() => Prop.ForAll(
        (from policy in Policy
         from holder in Holder
         from asked in Asked
         select (Policy: policy, Holder: holder, Asked: asked)).ToArbitrary(),
        static test =>
        {
            var granted = Grant(test.Policy, test.Holder, test.Asked);
            return Grant(test.Policy, test.Holder, granted).ToString() == granted.ToString();
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("repository:a/x:pull,push,delete", "repository:a/x:pull,push")]
    [InlineData("repository:a/x:*", "repository:a/x:pull,push")]
    [InlineData("repository:a/x:push", "repository:a/x:pull,push")]
    [InlineData("repository:a/x:delete", "")]
    [InlineData("repository:b/x:pull,push", "repository:b/x:pull")]
    [InlineData("repository:b/x:push", "")]
    [InlineData("repository:c/x:pull", "")] // no registry holds it
    [InlineData(
        "repository:a/x:pull repository:b/x:pull repository:a/secret:pull", "repository:a/x:pull repository:b/x:pull")]
    [InlineData("registry:catalog:*", "registry:catalog:*")]
    public void Grant_Asked_GivesWhatPolicyGrants(string asked, string expected)
    {
        var policy = Compile(
            new PolicyRule
            {
                Identity = new RuleIdentity("writer", "test.yaml", 1),
                Effect = RuleEffect.Allow,
                Actions = RepositoryActions.Push,
                To = [new SubjectSelector(SubjectSelectorKind.User, "alice")],
                On = [RepositoryPattern.Parse("a/x")],
            },
            new PolicyRule
            {
                Identity = new RuleIdentity("reader", "test.yaml", 2),
                Effect = RuleEffect.Allow,
                Actions = RepositoryActions.Pull,
                To = [new SubjectSelector(SubjectSelectorKind.User, "alice")],
                On = [RepositoryPattern.Parse("b/**"), RepositoryPattern.Parse("c/**")],
            });

        var granted = Grant(
            policy, new Principal { Subject = Alice }, AccessScopeParser.Parse([asked], "registry.test"));

        Assert.Equal(expected, granted.ToString());
    }

    [Fact]
    public void Grant_WhereARuleIsLimitedByTag_GrantsWhatSomeTagMayHave()
    {
        var releases = new PolicyRule
        {
            Identity = new RuleIdentity("releases", "test.yaml", 1),
            Effect = RuleEffect.Allow,
            Actions = RepositoryActions.Push,
            To = [new SubjectSelector(SubjectSelectorKind.User, "alice")],
            On = [RepositoryPattern.Parse("a/**")],
            Tags = [new Glob("v*")],
        };
        var immutable = releases with
        {
            Effect = RuleEffect.Deny,
            Actions = RepositoryActions.Overwrite | RepositoryActions.Delete,
        };
        var asked = AccessScopeParser.Parse(["repository:a/x:pull,push,delete"], "registry.test");

        Assert.Equal(
            "repository:a/x:pull,push",
            Grant(Compile(releases, immutable), new Principal { Subject = Alice }, asked).ToString());
    }

    private static AccessScope Grant(PolicySet policy, Principal holder, AccessScope asked)
    {
        var policies = new Reloadable<PolicySet>(
            "policies", static () => [], () => policy, TimeProvider.System, NullLogger<Reloadable<PolicySet>>.Instance);
        return new TokenGranter(policies, TimeProvider.System).Grant(holder, asked, Host, IPAddress.Loopback);
    }

    private static bool Named(AccessScope scope, RepositoryName repository, RepositoryActions action) =>
        scope.Repositories.Any(item => item.Repository == repository && item.Actions.HasFlag(action));

    private static AccessRequest Access(
        Subject subject, UpstreamRegistry registry, RepositoryName repository, RepositoryActions actions) => new()
        {
            Subject = subject,
            Registry = registry.Name,
            Repository = repository,
            Actions = actions,
            ClientAddress = IPAddress.Loopback,
            Time = TimeProvider.System.GetUtcNow(),
        };

    private static PolicySet Compile(params ImmutableArray<PolicyRule> rules) =>
        PolicySet.Compile(new PolicyDefinition(rules, []));

    private static CredentialLimit Limit(string[] texts) =>
        CredentialLimit.TryParse(texts, out var limit, out var fault) ? limit : throw new FormatException(fault);
}
