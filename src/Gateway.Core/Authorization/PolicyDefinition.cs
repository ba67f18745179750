using System.Collections.Immutable;

namespace Gateway.Core.Authorization;

/// <summary>Everything that policy files say, before it is compiled. Order means nothing.</summary>
/// <param name="Rules">The rules.</param>
/// <param name="Groups">The groups.</param>
public sealed record PolicyDefinition(ImmutableArray<PolicyRule> Rules, ImmutableArray<PolicyGroup> Groups);

/// <summary>A group that policy files declare.</summary>
/// <param name="Name">The group's name.</param>
/// <param name="Members">Users, robots, and groups whose members are members of this one too.</param>
public sealed record PolicyGroup(string Name, ImmutableArray<SubjectSelector> Members);
