using System.Collections.Immutable;
using Gateway.Core.Authorization;

namespace Gateway.Core.RateLimiting;

/// <summary>One limit: whose requests, of which classes, on which repositories; how many, and counted how.</summary>
public sealed record LimitRule
{
    /// <summary>Names it in answers, records and keys: lower-case letters, digits and dashes.</summary>
    public required string Name { get; init; }

    /// <summary>Whom it picks.</summary>
    public required SubjectSelectorSet To { get; init; }

    /// <summary>Which requests it counts.</summary>
    public required RequestClasses Classes { get; init; }

    /// <summary>Who has a budget of their own.</summary>
    public LimitPartitions Per { get; init; }

    /// <summary>On which repositories; none at all: whatever the request is about.</summary>
    public ImmutableArray<RepositoryPattern> Repositories { get; init; } = [];

    /// <summary>How much is allowed.</summary>
    public required Quota Quota { get; init; }
}
