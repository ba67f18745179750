using System.Collections.Immutable;

namespace Gateway.Core.Authorization;

/// <summary>What a matching rule does.</summary>
public enum RuleEffect
{
    /// <summary>It grants its actions, unless some rule denies them.</summary>
    Allow,

    /// <summary>It refuses its actions, whatever else is allowed.</summary>
    Deny,
}

/// <summary>One rule of a policy file, read and validated.</summary>
public sealed record PolicyRule
{
    /// <summary>The rule's name and place.</summary>
    public required RuleIdentity Identity { get; init; }

    /// <summary>Whether it grants or refuses.</summary>
    public required RuleEffect Effect { get; init; }

    /// <summary>The actions as written; what they bring with them is added by the policy.</summary>
    public required RepositoryActions Actions { get; init; }

    /// <summary>Whom it is about, any of these. Empty: everybody in a deny, nobody in an allow.</summary>
    public ImmutableArray<SubjectSelector> To { get; init; } = [];

    /// <summary>Whom it is not about, although <see cref="To"/> picks them.</summary>
    public ImmutableArray<SubjectSelector> Unless { get; init; } = [];

    /// <summary>The repositories, any of these; at least one.</summary>
    public required ImmutableArray<RepositoryPattern> On { get; init; }

    /// <summary>The tags, any of these. Empty: all, and what has no tag.</summary>
    public ImmutableArray<Glob> Tags { get; init; } = [];

    /// <summary>Names of registries, any of these. Empty: all.</summary>
    public ImmutableArray<string> Registries { get; init; } = [];

    /// <summary>What must also be true.</summary>
    public RuleConditions When { get; init; } = RuleConditions.None;
}
