namespace Gateway.Core.Authorization.Index;

/// <summary>Finds out which rules made a decision and which ones nearly changed it.</summary>
internal sealed class PolicyExplainer(AccessRequest request, ResolvedSubject subject)
{
    private const int MostMisses = 5;

    public PolicyExplanation Explain(
        AccessDecision decision, IEnumerable<CompiledRule> picked, IEnumerable<CompiledRule> candidates)
    {
        var matches = picked.Distinct()
            .Select(rule => (Rule: rule, Actions: MatchedActions(rule)))
            .Where(static match => match.Actions != RepositoryActions.None)
            .OrderBy(static match => match.Rule.IsDeny ? 0 : 1).ThenBy(static match => match.Rule.Rank)
            .ToList();
        var granted = matches.Where(static match => !match.Rule.IsDeny)
            .Aggregate(RepositoryActions.None, static (union, match) => union | match.Actions);
        var ungranted = request.Actions & ActionNames.All & ~granted;
        var misses = candidates.Distinct()
            .Select(rule => Miss.Find(rule, request, subject, ungranted))
            .OfType<Miss>()
            .OrderBy(static miss => miss.Distance).ThenBy(static miss => miss.Rule.Rank)
            .Take(MostMisses)
            .ToList();
        var caller = new RuleText(request.Repository, subject.PathSegment);
        return new PolicyExplanation(
            decision,
            Reason(RuleText.Operator, decision, matches, misses.FirstOrDefault()),
            Reason(caller, decision, matches, misses.Find(static miss => !miss.IsOthersOnly)),
            [.. matches.Select(static match => new RuleMatch(
                match.Rule.Source.Identity,
                match.Rule.Source.Effect,
                match.Actions,
                RuleText.Operator.Whole(match.Rule.Source, match.Actions)))],
            [.. misses.Select(miss => new NearMiss(
                miss.Rule.Source.Identity,
                miss.Text(RuleText.Operator),
                miss.IsOthersOnly ? null : miss.Text(caller)))]);
    }

    private RepositoryActions MatchedActions(CompiledRule rule) => rule.AppliesTo(in request, subject)
        ? request.Actions & rule.ActionsFor(request.Tag)
        : RepositoryActions.None;

    private string Reason(
        RuleText text,
        AccessDecision decision,
        List<(CompiledRule Rule, RepositoryActions Actions)> matches,
        Miss? nearest)
    {
        var deciding = matches.Find(match => match.Rule.Source.Identity == decision.Rule);
        if (deciding.Rule is not null)
        {
            return text.Whole(deciding.Rule.Source, deciding.Actions);
        }

        var missing = ActionNames.Format(decision.Missing);
        var reason = $"no rule grants {missing} on {request.Repository} to {request.Subject}";
        return nearest is null ? reason : $"{reason}; nearest: {nearest.Text(text)}";
    }

    /// <summary>An allow that fails by exactly one thing.</summary>
    /// <param name="Rule">The rule.</param>
    /// <param name="Actions">What it would have given of what is missing.</param>
    /// <param name="Distance">How far off it is; smaller is nearer.</param>
    /// <param name="Why">Why it does not apply, as the text after "but".</param>
    private sealed record Miss(CompiledRule Rule, RepositoryActions Actions, int Distance, Func<RuleText, string> Why)
    {
        private const int OthersOnly = 3;
        private const int PartialPenalty = 10;

        /// <summary>
        /// Whether the rule is about other users or robots by name: nothing this caller could ask to join.
        /// </summary>
        public bool IsOthersOnly => Distance % PartialPenalty == OthersOnly;

        public string Text(RuleText text) => $"{text.Head(Rule.Source, Actions)}, but {Why(text)}";

        public static Miss? Find(
            CompiledRule rule, AccessRequest request, ResolvedSubject subject, RepositoryActions missing)
        {
            var actions = rule.Actions & missing;
            if (actions == RepositoryActions.None)
            {
                return null;
            }

            var failures = Failures(rule, request, subject, actions).Take(2).ToList();
            return failures is [var only]
                // Rules that give all that is missing come before rules that give part of it.
                ? new Miss(rule, actions, only.Distance + (actions == missing ? 0 : PartialPenalty), only.Why)
                : null;
        }

        private static IEnumerable<(int Distance, Func<RuleText, string> Why)> Failures(
            CompiledRule compiled, AccessRequest request, ResolvedSubject subject, RepositoryActions actions)
        {
            var rule = compiled.Source;
            if (!compiled.Picks(subject))
            {
                // A group can be joined; another user cannot become this one.
                var isOthersOnly = rule.To.All(
                    static to => to.Kind is SubjectSelectorKind.User or SubjectSelectorKind.Robot);
                yield return (isOthersOnly ? OthersOnly : 1, text => "only to " + text.Subjects(rule.To));
            }

            if (compiled.Exempts(subject))
            {
                yield return (0, text => "not to " + text.Subjects(rule.Unless));
            }

            if (!compiled.ConcernsRegistry(request.Registry))
            {
                yield return (0, _ => "only in " + RuleText.Registries(rule));
            }

            if (!rule.On.Any(pattern => pattern.Matches(request.Repository, subject.PathSegment)))
            {
                yield return RepositoryFailure(rule, request, subject);
            }

            if ((compiled.ActionsFor(request.Tag) & actions) == RepositoryActions.None)
            {
                yield return (0, _ => "only for " + RuleText.Tags(rule));
            }

            if (!rule.When.AddressHolds(request.ClientAddress))
            {
                yield return (0, text => "only " + text.Addresses(rule.When));
            }

            if (rule.When.Time is { } time && !time.Contains(request.Time))
            {
                yield return (0, _ => "only " + RuleText.Time(rule.When));
            }

            if (!rule.When.MethodHolds(request.Subject.Method))
            {
                yield return (0, _ =>
                    $"only {RuleText.Methods(rule.When)}, and this caller's method is {request.Subject.Method}");
            }

            foreach (var claim in rule.When.Claims.Where(claim => !claim.Holds(request.Subject, missingMatches: false)))
            {
                var actual = request.Subject.Claims.GetValueOrDefault(claim.Name, "none");
                yield return (0, text => $"only {text.Claim(claim)}, and this caller has {actual}");
            }
        }

        private static (int Distance, Func<RuleText, string> Why) RepositoryFailure(
            PolicyRule rule, AccessRequest request, ResolvedSubject subject)
        {
            foreach (var pattern in rule.On)
            {
                if (pattern.Segments[^1].Kind == PatternSegmentKind.Any
                    && RepositoryPattern.TryParse(pattern.Text + '*', out var wider, out _)
                    && wider.Matches(request.Repository, subject.PathSegment))
                {
                    return (0, _ =>
                        $"\"*\" matches within one segment only, so {pattern} does not match {request.Repository}");
                }
            }

            var first = request.Repository.Value.Split('/')[0];
            var isNear = rule.On.Any(pattern =>
                pattern.Segments[0].Kind != PatternSegmentKind.Spanning
                && pattern.Segments[0].Matches(first, subject.PathSegment));
            return (isNear ? 1 : 2, _ => $"the repository is {request.Repository}");
        }
    }
}
