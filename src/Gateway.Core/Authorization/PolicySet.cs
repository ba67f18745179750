using System.Runtime.CompilerServices;
using Gateway.Core.Authorization.Index;

namespace Gateway.Core.Authorization;

/// <summary>All policies in force, compiled into an index: one immutable value, replaced whole by a reload.</summary>
/// <remarks>
/// Any matching deny refuses; else any matching allow grants; else refused. The order of rules never matters.
/// A decision costs about the same for ten rules as for a hundred thousand, and allocates nothing once the subject
/// was seen (docs/policy.md, docs/benchmarks.md).
/// </remarks>
public sealed class PolicySet
{
    /// <summary>The policy of no files: nobody may do anything.</summary>
    public static readonly PolicySet Empty = Compile(new PolicyDefinition([], []));

    private static readonly AccessDecision[] Defaults =
    [
        .. Enumerable.Range(0, (int)ActionNames.All + 1)
            .Select(static missing => new AccessDecision(false, null, (RepositoryActions)missing)),
    ];

    private readonly PrincipalIndex _principals;
    private readonly RepositoryIndex _repositories;
    private readonly RuleTables _denies;
    private readonly RuleTables _allows;
    private readonly RulesByPrincipal _allowsByPrincipal;

    // Subjects outlive requests (credential and token caches hold them), so groups are worked out once for each.
    private readonly ConditionalWeakTable<Subject, ResolvedSubject> _resolved = [];
    private readonly ConditionalWeakTable<Subject, ResolvedSubject>.CreateValueCallback _resolve;

    private PolicySet(
        PrincipalIndex principals,
        RepositoryIndex repositories,
        RuleTables denies,
        RuleTables allows,
        RulesByPrincipal allowsByPrincipal)
    {
        _principals = principals;
        _repositories = repositories;
        _denies = denies;
        _allows = allows;
        _allowsByPrincipal = allowsByPrincipal;
        _resolve = Resolve;
    }

    /// <summary>What it was built from.</summary>
    public PolicyDefinition Definition { get; private init; } = null!;

    /// <summary>How many rules there are.</summary>
    public int RuleCount { get; private init; }

    /// <summary>Builds the index. Order of rules and groups means nothing.</summary>
    public static PolicySet Compile(PolicyDefinition definition)
    {
        var compiler = new PolicyCompiler(definition);
        return new PolicySet(
            compiler.Principals,
            compiler.Repositories,
            compiler.Denies,
            compiler.Allows,
            compiler.AllowsByPrincipal())
        {
            Definition = definition,
            RuleCount = definition.Rules.Length,
        };
    }

    /// <summary>Decides. All actions asked for must be granted, and none denied; no action at all is refused.</summary>
    public AccessDecision Evaluate(in AccessRequest request)
    {
        var subject = Resolved(request.Subject);
        var patterns = new IntList(stackalloc int[32]);
        _repositories.Match(request.Repository.Value, subject.PathSegment, ref patterns);
        var decision = Decide(in request, subject, patterns.Items).Decision;
        patterns.Dispose();
        return decision;
    }

    /// <summary>
    /// Whether the answer to this request depends on the tag it touches. Where it does not, one evaluation speaks for
    /// every tag: a tag list needs no filter, and a refused delete by digest needs no question to the upstream.
    /// </summary>
    /// <remarks>The request's own <see cref="AccessRequest.Tag"/> does not matter.</remarks>
    public bool DependsOnTag(in AccessRequest request)
    {
        var wanted = request.Actions & ActionNames.All;
        var subject = Resolved(request.Subject);
        var patterns = new IntList(stackalloc int[32]);
        _repositories.Match(request.Repository.Value, subject.PathSegment, ref patterns);
        var denied = CollectByTag(_denies, patterns.Items, in request, subject);
        var granted = CollectByTag(_allows, patterns.Items, in request, subject);
        patterns.Dispose();
        var canBeGranted = (wanted & ~(granted.AnyTag | granted.SomeTag)) == 0 && (wanted & denied.AnyTag) == 0;
        return canBeGranted && ((wanted & denied.SomeTag) != 0 || (wanted & ~granted.AnyTag) != 0);
    }

    /// <summary>
    /// The actions out of those asked that the subject may do on some tag of the repository: what a token, which knows
    /// no tags, is granted. A request is decided anew, with its tag.
    /// </summary>
    /// <remarks>The request's own <see cref="AccessRequest.Tag"/> does not matter.</remarks>
    public RepositoryActions Grantable(in AccessRequest request)
    {
        var subject = Resolved(request.Subject);
        var patterns = new IntList(stackalloc int[32]);
        _repositories.Match(request.Repository.Value, subject.PathSegment, ref patterns);
        var denied = CollectByTag(_denies, patterns.Items, in request, subject);
        var granted = CollectByTag(_allows, patterns.Items, in request, subject);
        patterns.Dispose();
        return request.Actions & (granted.AnyTag | granted.SomeTag) & ~denied.AnyTag;
    }

    /// <summary>Whether any of the selectors picks the subject, with the groups that the policies declare.</summary>
    public bool IsPicked(Subject subject, SubjectSelectorSet selectors)
    {
        var keys = Resolved(subject).Keys;
        foreach (var selector in selectors.Keys)
        {
            if (keys.Contains(selector))
            {
                return true;
            }
        }

        return false;
    }

    internal static string? PathSegmentOf(Subject subject) => ResolvedSubject.PathSegmentOf(subject);

    /// <summary>Whether the subject may pull anything from the repository, so that a catalog may name it.</summary>
    /// <remarks>The request's own actions and tag do not matter.</remarks>
    public bool MayPullAnything(in AccessRequest request) => Evaluate(new AccessRequest
    {
        Subject = request.Subject,
        Registry = request.Registry,
        Repository = request.Repository,
        Actions = RepositoryActions.Pull,
        ClientAddress = request.ClientAddress,
        Time = request.Time,
    }).IsAllowed;

    /// <summary>Whether some allow picks the subject at all, whatever the repository, address and time.</summary>
    public bool HasAnyGrant(Subject subject) => Resolved(subject).HasAnyGrant;

    /// <summary>Decides, and says how it came about and what was missing.</summary>
    /// <param name="request">The question.</param>
    /// <param name="effort">
    /// How many rules, or for near misses patterns of rules, are looked at in search of other matches and of near
    /// misses: bounded where a caller can cause the search, since it is the one thing here whose cost grows with the
    /// rules.
    /// </param>
    public PolicyExplanation Explain(in AccessRequest request, int effort = 250)
    {
        var subject = Resolved(request.Subject);
        var patterns = new IntList(stackalloc int[32]);
        _repositories.Match(request.Repository.Value, subject.PathSegment, ref patterns);
        var here = patterns.Items.ToArray();
        patterns.Dispose();
        var (decision, deciding) = Decide(in request, subject, here);
        var picked = new List<CompiledRule>();
        if (deciding is not null)
        {
            picked.Add(deciding);
        }

        foreach (var (tables, pattern) in here.SelectMany(pattern => new[] { (_denies, pattern), (_allows, pattern) }))
        {
            foreach (var bucket in tables.For(pattern, subject))
            {
                picked.AddRange(bucket.All.Take(Math.Max(effort - picked.Count, 0)));
            }
        }

        // A rule that misses by one thing only either matches the repository or picks the subject.
        var candidates = TakeWithin(here.SelectMany(pattern => _allows.All(pattern)), effort)
            .Concat(TakeWithin(subject.Principals.SelectMany(principal => _allowsByPrincipal[principal]), effort));
        return new PolicyExplainer(request, subject).Explain(decision, picked, candidates);
    }

    // Each pattern of a rule may have to be matched, so the patterns are what is counted.
    private static IEnumerable<CompiledRule> TakeWithin(IEnumerable<CompiledRule> rules, int effort)
    {
        foreach (var rule in rules)
        {
            if (effort <= 0)
            {
                yield break;
            }

            effort -= rule.Source.On.Length;
            yield return rule;
        }
    }

    private (AccessDecision Decision, CompiledRule? Rule) Decide(
        in AccessRequest request, ResolvedSubject subject, ReadOnlySpan<int> patterns)
    {
        var wanted = request.Actions & ActionNames.All;
        if (wanted == RepositoryActions.None || wanted != request.Actions)
        {
            return (Defaults[(int)wanted], null); // nothing we know was asked for: nothing is granted
        }

        // A missing grant is named before a deny that refuses as well: without the deny it would be refused all the
        // same, and a person who reads of a protected tag looks for help in the wrong place.
        var granted = Collect(_allows, patterns, in request, subject);
        if (granted.Actions != wanted)
        {
            return (Defaults[(int)(wanted & ~granted.Actions)], null);
        }

        var denied = Collect(_denies, patterns, in request, subject);
        return denied.Rule is not null
            ? (denied.Rule.Refused(denied.Actions), denied.Rule)
            : (granted.Rule!.Allowed, granted.Rule);
    }

    private static Findings Collect(
        RuleTables tables, ReadOnlySpan<int> patterns, in AccessRequest request, ResolvedSubject subject)
    {
        var findings = new Findings(request.Actions);
        foreach (var pattern in patterns)
        {
            foreach (var bucket in tables.For(pattern, subject))
            {
                bucket.Collect(in request, subject, ref findings);
            }
        }

        return findings;
    }

    private static (RepositoryActions AnyTag, RepositoryActions SomeTag) CollectByTag(
        RuleTables tables, ReadOnlySpan<int> patterns, in AccessRequest request, ResolvedSubject subject)
    {
        var (anyTag, someTag) = (RepositoryActions.None, RepositoryActions.None);
        foreach (var pattern in patterns)
        {
            foreach (var bucket in tables.For(pattern, subject))
            {
                anyTag |= Union(bucket.AnyTag, request.Actions & ~anyTag, in request, subject);
                someTag |= Union(bucket.LimitedByTag, request.Actions & ~someTag, in request, subject);
            }
        }

        return (anyTag, someTag);
    }

    private static RepositoryActions Union(
        ReadOnlySpan<CompiledRule> rules, RepositoryActions wanted, in AccessRequest request, ResolvedSubject subject)
    {
        var found = RepositoryActions.None;
        foreach (var rule in rules)
        {
            if ((wanted & ~found) == RepositoryActions.None)
            {
                break;
            }

            if ((rule.Actions & wanted & ~found) != 0 && rule.AppliesTo(in request, subject))
            {
                found |= rule.Actions & wanted;
            }
        }

        return found;
    }

    private ResolvedSubject Resolved(Subject subject) =>
        _resolved.TryGetValue(subject, out var resolved) ? resolved : _resolved.GetValue(subject, _resolve);

    private ResolvedSubject Resolve(Subject subject)
    {
        var keys = _principals.KeysOf(subject);
        var principals = _principals.Resolve(keys);
        var resolved = new ResolvedSubject(principals, keys, ResolvedSubject.PathSegmentOf(subject));
        var hasAnyGrant = principals.Any(principal => _allowsByPrincipal[principal].Any(rule =>
            rule.Picks(resolved)
            && !rule.Exempts(resolved)
            && rule.Source.When.MethodHolds(subject.Method)
            && rule.Source.When.ClaimsHold(subject, missingClaimMatches: false)));
        return new ResolvedSubject(principals, keys, resolved.PathSegment) { HasAnyGrant = hasAnyGrant };
    }
}
