using System.Collections.Immutable;
using Gateway.Core.Authorization;
using Gateway.Core.RateLimiting;

namespace Gateway.Server.Limits.RateLimiting;

/// <summary>Makes the limits of a valid section.</summary>
internal static class LimitReader
{
    private static readonly TimeSpan Quarter = TimeSpan.FromMinutes(15);

    // Without rules of one's own: nobody can guess passwords without end at a gateway that was set up in a minute.
    private static readonly ImmutableArray<LimitRule> DefaultFailures =
    [
        Failures("failures-per-account", LimitPartitions.Subject, new Quota(10, Quarter, 10)),
        Failures("failures-per-address", LimitPartitions.Address, new Quota(30, Quarter, 30)),
    ];

    /// <summary>Makes them; where none counts failed sign-ins, the usual two are added.</summary>
    public static LimitSet Read(LimitOptions options)
    {
        var rules = options.Rules.Select(Read).ToImmutableArray();
        return new LimitSet(rules.Any(static rule => rule.Classes == RequestClasses.SignInFailure)
            ? rules
            : rules.AddRange(DefaultFailures));
    }

    private static LimitRule Read(LimitRuleOptions options) => new()
    {
        Name = options.Name,
        To = new SubjectSelectorSet(options.To.Count == 0
            ? [new SubjectSelector(SubjectSelectorKind.Everyone, "")]
            : options.To.Select(static text => SubjectSelector.TryParse(text, out var selector)
                ? selector
                : throw new FormatException($"\"{text}\" was not validated"))),
        Classes = options.Classes.Aggregate(RequestClasses.None, static (all, one) => all | ClassOf(one)),
        Per = options.Per.Count == 0
            ? LimitPartitions.Caller
            : options.Per.Aggregate(LimitPartitions.None, static (all, one) => all | PartitionOf(one)),
        Repositories = [.. options.Repositories.Select(RepositoryPattern.Parse)],
        Quota = new Quota(options.Rate, options.Window, options.Burst ?? options.Rate),
    };

    private static LimitRule Failures(string name, LimitPartitions per, Quota quota) => new()
    {
        Name = name,
        To = new SubjectSelectorSet([new SubjectSelector(SubjectSelectorKind.Everyone, "")]),
        Classes = RequestClasses.SignInFailure,
        Per = per,
        Quota = quota,
    };

    private static RequestClasses ClassOf(LimitClass one) => one switch
    {
        LimitClass.Pull => RequestClasses.Pull,
        LimitClass.Push => RequestClasses.Push,
        LimitClass.Read => RequestClasses.Read,
        LimitClass.Catalog => RequestClasses.Catalog,
        LimitClass.Token => RequestClasses.Token,
        _ => RequestClasses.SignInFailure,
    };

    private static LimitPartitions PartitionOf(LimitPartition one) => one switch
    {
        LimitPartition.Caller => LimitPartitions.Caller,
        LimitPartition.Subject => LimitPartitions.Subject,
        LimitPartition.Address => LimitPartitions.Address,
        LimitPartition.Repository => LimitPartitions.Repository,
        _ => LimitPartitions.None,
    };
}
