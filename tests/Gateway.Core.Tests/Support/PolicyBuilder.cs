using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Net;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;

namespace Gateway.Core.Tests.Support;

/// <summary>Short ways to write policies and questions in tests.</summary>
internal static class PolicyBuilder
{
    public const RepositoryActions Reader = RepositoryActions.Pull;
    public const RepositoryActions Writer = RepositoryActions.Pull | RepositoryActions.Push;
    public const RepositoryActions Owner = Writer | RepositoryActions.Delete;

    /// <summary>A Wednesday, noon UTC.</summary>
    public static readonly DateTimeOffset Noon = new(2025, 1, 1, 12, 0, 0, TimeSpan.Zero);

    public static readonly Subject Alice = User("alice");
    public static readonly Subject Bob = User("bob");

    public static Subject User(string name, params string[] groups) =>
        new() { Kind = SubjectKind.User, Name = name, Method = "htpasswd", Groups = groups };

    public static Subject Robot(string name) => new() { Kind = SubjectKind.Robot, Name = name, Method = "robot" };

    public static Subject Workload(string name, string issuer, params (string Name, string Value)[] claims) => new()
    {
        Kind = SubjectKind.Workload,
        Name = name,
        Method = "issuer:" + issuer,
        Claims = claims.ToFrozenDictionary(static claim => claim.Name, static claim => claim.Value),
    };

    public static PolicyRule Allow(string name, string to, RepositoryActions actions, params string[] on) =>
        Rule(name, RuleEffect.Allow, to, actions, on);

    // Selectors stand apart by a space; none: everybody.
    public static PolicyRule Deny(string name, string to, RepositoryActions actions, params string[] on) =>
        Rule(name, RuleEffect.Deny, to, actions, on);

    public static ImmutableArray<SubjectSelector> Selectors(string text) =>
        [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(static part =>
            SubjectSelector.TryParse(part, out var selector) ? selector : throw new FormatException(part))];

    public static PolicyRule ForTags(this PolicyRule rule, params string[] tags) =>
        rule with { Tags = [.. tags.Select(static tag => new Glob(tag))] };

    public static PolicyRule Unless(this PolicyRule rule, string selectors) =>
        rule with { Unless = Selectors(selectors) };

    public static PolicyRule When(this PolicyRule rule, RuleConditions conditions) => rule with { When = conditions };

    public static PolicyRule WhenClaim(this PolicyRule rule, string name, params string[] values) => rule.When(
        rule.When with
        {
            Claims = rule.When.Claims.Add(
                new ClaimCondition(name, [.. values.Select(static value => new Glob(value))])),
        });

    public static PolicyGroup Group(string name, string members) => new(name, Selectors(members));

    public static PolicySet Policy(params PolicyRule[] rules) =>
        PolicySet.Compile(new PolicyDefinition([.. rules], []));

    public static PolicySet Policy(PolicyGroup[] groups, params PolicyRule[] rules) =>
        PolicySet.Compile(new PolicyDefinition([.. rules], [.. groups]));

    public static TagScope TagOf(string text) =>
        Tag.TryParse(text, out var tag) ? TagScope.Of(tag) : throw new FormatException(text);

    public static AccessRequest Ask(
        Subject subject,
        RepositoryActions actions,
        string repository,
        TagScope tag = default,
        string address = "192.0.2.1",
        DateTimeOffset? time = null,
        string registry = "main") => new()
        {
            Subject = subject,
            Registry = registry,
            Repository = RepositoryName.Parse(repository),
            Actions = actions,
            Tag = tag,
            ClientAddress = IPAddress.Parse(address),
            Time = time ?? Noon,
        };

    public static bool Allows(
        this PolicySet policy, Subject subject, RepositoryActions actions, string repository, TagScope tag = default) =>
        policy.Evaluate(Ask(subject, actions, repository, tag)).IsAllowed;

    private static PolicyRule Rule(string name, RuleEffect effect, string to, RepositoryActions actions, string[] on) =>
        new()
        {
            Identity = new RuleIdentity(name, "test.yaml", 1),
            Effect = effect,
            Actions = actions,
            To = Selectors(to),
            On = [.. on.Select(RepositoryPattern.Parse)],
        };
}
