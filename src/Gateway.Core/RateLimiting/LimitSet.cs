using System.Collections.Immutable;
using System.Numerics;
using Gateway.Core.Authorization;

namespace Gateway.Core.RateLimiting;

/// <summary>All limits in force: one immutable value, replaced whole by a reload.</summary>
public sealed class LimitSet
{
    /// <summary>No limits.</summary>
    public static readonly LimitSet Empty = new([]);

    private readonly ImmutableArray<LimitRule>[] _byClass; // by the number of the class's bit

    /// <summary>Puts rules together. Their order means nothing.</summary>
    public LimitSet(ImmutableArray<LimitRule> rules)
    {
        Rules = rules;
        _byClass =
        [
            .. Enum.GetValues<RequestClasses>().Where(static one => one != RequestClasses.None)
                .Select(one => rules.Where(rule => rule.Classes.HasFlag(one)).ToImmutableArray()),
        ];
    }

    /// <summary>All rules.</summary>
    public ImmutableArray<LimitRule> Rules { get; }

    /// <summary>The rules of a class.</summary>
    public ImmutableArray<LimitRule> RulesFor(RequestClasses one) => _byClass[BitOperations.Log2((uint)one)];

    /// <summary>The budgets that a request draws on; none where nothing limits it.</summary>
    /// <param name="policy">Knows who is in which group.</param>
    /// <param name="request">The request.</param>
    public IReadOnlyList<LimitCharge> Find(PolicySet policy, in LimitRequest request)
    {
        List<LimitCharge>? charges = null;
        foreach (var rule in RulesFor(request.Class))
        {
            if (policy.IsPicked(request.Subject, rule.To) && IsOn(rule, request))
            {
                (charges ??= new(4)).Add(Charge(rule, request));
            }
        }

        return charges ?? (IReadOnlyList<LimitCharge>)[];
    }

    private static bool IsOn(LimitRule rule, in LimitRequest request)
    {
        if (rule.Repositories.IsEmpty)
        {
            return true;
        }

        if (request.Repository is { } repository)
        {
            var segment = PolicySet.PathSegmentOf(request.Subject);
            foreach (var pattern in rule.Repositories)
            {
                if (pattern.Matches(repository, segment))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static LimitCharge Charge(LimitRule rule, in LimitRequest request)
    {
        var anonymous = request.Subject.IsAnonymous;
        var per = !rule.Per.HasFlag(LimitPartitions.Caller) ? rule.Per
            : rule.Per | (anonymous ? LimitPartitions.Address : LimitPartitions.Subject);
        var subject = per.HasFlag(LimitPartitions.Subject) ? LimitKey.SubjectOf(request.Subject) : null;
        var address = per.HasFlag(LimitPartitions.Address) ? LimitKey.AddressOf(request.Address) : null;
        var repository = per.HasFlag(LimitPartitions.Repository) ? request.Repository?.Value : null;
        return new LimitCharge(
            rule,
            LimitKey.Build(LimitKey.Prefix, rule.Name, subject, address, repository),
            (anonymous ? address ?? subject : subject ?? address) ?? repository ?? rule.Name);
    }
}
