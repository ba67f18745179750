using System.Collections.Immutable;
using System.Net;
using FsCheck;
using FsCheck.Fluent;
using Gateway.Core.Authorization;
using static Gateway.Core.Tests.Support.PolicyBuilder;

namespace Gateway.Core.Tests.Support;

/// <summary>Random policies and questions over so few names that many of them meet.</summary>
internal static class PolicyGenerators
{
    public static readonly string[] Tags = ["v1", "v2", "latest", "dev-1", "xv1x"];

    private static readonly string[] Selectors =
    [
        "user:alice", "user:bob", "robot:alice", "group:g1", "group:g2", "group:g3", "issuer:github", "authenticated",
        "anonymous", "everyone",
    ];

    private static readonly Gen<string> PatternSegment =
        Gen.Elements("a", "b", "ab", "alice", "*", "a*", "*b", "a*b", "**", "**", "${subject}");

    private static readonly Gen<RepositoryActions> Actions =
        Gen.Choose(1, 15).Select(static bits => (RepositoryActions)bits);

    private static readonly Gen<RuleConditions> Conditions = Gen.Frequency(
        (4, Gen.Constant(RuleConditions.None)),
        (1, Gen.Elements("10.0.0.0/8", "10.1.0.0/16").Select(static network =>
            new RuleConditions { Addresses = [IPNetwork.Parse(network)] })),
        (1, Gen.Elements("htpasswd", "issuer:*", "ro*").Select(static method =>
            new RuleConditions { Methods = [new Glob(method)] })),
        (2, from name in Gen.Elements("ref", "repository")
            from values in Some(Gen.Elements("main", "dev", "m*", "*"), 2)
            select new RuleConditions
            {
                Claims = [new ClaimCondition(name, [.. values.Select(static value => new Glob(value))])],
            }),
        (1, from @ref in Gen.Elements("main", "dev")
            from repository in Gen.Elements("main", "dev", "*")
            select new RuleConditions
            {
                Claims = [new("ref", [new Glob(@ref)]), new("repository", [new Glob(repository)])],
            }));

    private static readonly Gen<PolicyRule> Rule =
        from effect in Gen.Elements(RuleEffect.Allow, RuleEffect.Allow, RuleEffect.Deny)
        from actions in Actions
        from to in Gen.Frequency((4, Some(Gen.Elements(Selectors), 3)), (1, Gen.Constant(Array.Empty<string>())))
        from unless in Gen.Frequency((4, Gen.Constant(Array.Empty<string>())), (1, Some(Gen.Elements(Selectors), 2)))
        from @on in Some(Some(PatternSegment, 4).Select(static parts => string.Join('/', parts)), 3)
        from tags in Gen.Frequency(
            (2, Gen.Constant(Array.Empty<string>())),
            (1, Some(Gen.Elements("v*", "*1", "*v*", "latest", "dev-*", "*", "v*1"), 12)))
        from registries in Gen.Frequency(
            (4, Gen.Constant(Array.Empty<string>())), (1, Some(Gen.Elements("main", "mirror"), 2)))
        from conditions in Conditions
        select new PolicyRule
        {
            Identity = new RuleIdentity("", "test.yaml", 1),
            Effect = effect,
            Actions = actions,
            To = PolicyBuilder.Selectors(string.Join(' ', to)),
            Unless = PolicyBuilder.Selectors(string.Join(' ', unless)),
            On = [.. @on.Select(RepositoryPattern.Parse)],
            Tags = [.. tags.Select(static tag => new Glob(tag))],
            Registries = [.. registries],
            When = conditions,
        };

    private static readonly Gen<ImmutableArray<PolicyGroup>> Groups =
        from g1 in Many(Gen.Elements("user:alice", "user:bob", "robot:alice", "group:g2", "group:g3"), 2)
        from g2 in Many(Gen.Elements("user:bob", "group:g3", "group:outside"), 2)
        from g3 in Many(Gen.Elements("user:alice", "group:outside"), 1)
        select ImmutableArray.Create(
            Group("g1", string.Join(' ', g1)), Group("g2", string.Join(' ', g2)), Group("g3", string.Join(' ', g3)));

    public static readonly Gen<PolicyDefinition> Policy =
        from rules in Many(Rule, 14)
        from groups in Groups
        select new PolicyDefinition(
            [
                .. rules.Select(
                    static (rule, number) => rule with { Identity = rule.Identity with { Name = $"rule {number}" } }),
            ], groups);

    private static readonly Subject[] Subjects =
    [
        Subject.Anonymous, Alice, Bob, Robot("alice"), User("carol"), User("carol", "g1"),
        User("dora", "outside", "g2"),
        Workload("w", "github"), Workload("alice", "github", ("ref", "main")),
        Workload("w", "github", ("ref", "dev"), ("repository", "main")),
        Workload("w", "gitlab", ("ref", "main"), ("repository", "dev")),
    ];

    public static readonly Gen<AccessRequest> Question =
        from subject in Gen.Elements(Subjects)
        from actions in Actions
        from repository in Some(Gen.Elements("a", "b", "ab", "axb", "alice", "bob", "c"), 4)
        from tag in Gen.Elements([TagScope.None, TagScope.Unknown, .. Tags.Select(TagOf)])
        from address in Gen.Elements("10.0.0.1", "10.1.0.1", "192.0.2.1", "2001:db8::1")
        from registry in Gen.Elements("main", "mirror")
        select Ask(subject, actions, string.Join('/', repository), tag, address, registry: registry);

    private static Gen<T[]> Some<T>(Gen<T> item, int most) => Gen.Choose(1, most).SelectMany(item.ArrayOf);

    private static Gen<T[]> Many<T>(Gen<T> item, int most) => Gen.Choose(0, most).SelectMany(item.ArrayOf);
}
