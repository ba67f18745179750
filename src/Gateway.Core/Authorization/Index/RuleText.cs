using Gateway.Core.Registry;

namespace Gateway.Core.Authorization.Index;

/// <summary>Rules as sentences, for operators or for callers.</summary>
internal sealed class RuleText
{
    private const int MostListed = 3;

    public static readonly RuleText Operator = new();

    private readonly bool _forCaller;
    private readonly RepositoryName? _asked;
    private readonly string? _segment;

    private RuleText()
    {
    }

    /// <summary>
    /// For a caller, who must not learn other users' names, addresses or values of claims from a refusal, nor of
    /// repositories that they did not ask about, where a rule is about the one they did ask about.
    /// </summary>
    public RuleText(RepositoryName asked, string? segment)
    {
        _forCaller = true;
        _asked = asked;
        _segment = segment;
    }

    /// <summary><c>rule "x" (a.yaml:3) grants push on team-a/** to group team-a</c>.</summary>
    public string Whole(PolicyRule rule, RepositoryActions actions)
    {
        var isDeny = rule.Effect == RuleEffect.Deny;
        var text = Head(rule, actions);
        if (!rule.Tags.IsEmpty)
        {
            text += " for " + Tags(rule);
        }

        if (!rule.To.IsEmpty)
        {
            text += " to " + Subjects(rule.To);
        }

        if (!rule.Registries.IsEmpty)
        {
            text += " in " + Registries(rule);
        }

        if (!rule.When.AreNone)
        {
            text += " " + Conditions(rule.When);
        }

        return rule.Unless.IsEmpty ? text : text + (isDeny ? ", except to " : ", but not to ") + Subjects(rule.Unless);
    }

    /// <summary><c>rule "x" (a.yaml:3) grants push on team-a/**</c>.</summary>
    public string Head(PolicyRule rule, RepositoryActions actions)
    {
        var on = rule.On;
        if (_asked is not null
            && on.RemoveAll(pattern => !pattern.Matches(_asked, _segment)) is { IsEmpty: false } asked)
        {
            on = asked;
        }

        var verb = rule.Effect == RuleEffect.Deny ? "denies" : "grants";
        return $"rule \"{rule.Identity.Name}\" ({rule.Identity.File}:{rule.Identity.Line}) {verb} "
            + $"{ActionNames.Format(actions)} on {List(on.Select(static pattern => pattern.Text))}";
    }

    public string Subjects(IEnumerable<SubjectSelector> selectors)
    {
        var shown = selectors.Where(selector => !_forCaller || !IsPersonal(selector)).Select(Describe);
        var hidden = selectors.Where(selector => _forCaller && IsPersonal(selector))
            .Select(static selector => selector.Kind == SubjectSelectorKind.User ? "certain users" : "certain robots")
            .Distinct();
        return List(shown.Concat(hidden));
    }

    public static string Tags(PolicyRule rule) => "tags " + List(rule.Tags.Select(static tag => tag.Text));

    public static string Registries(PolicyRule rule) => "registry " + List(rule.Registries);

    public string Addresses(RuleConditions when) =>
        _forCaller
            ? "from certain addresses"
            : "from " + List(when.Addresses.Select(static network => network.ToString()));

    public static string Time(RuleConditions when) => $"on {when.Time}";

    public static string Methods(RuleConditions when) =>
        "for sign-in by " + List(when.Methods.Select(static method => method.Text));

    public string Claim(ClaimCondition claim) => _forCaller
        ? $"with certain values of claim {claim.Name}"
        : $"where claim {claim.Name} is {List(claim.Values.Select(static value => value.Text))}";

    private string Conditions(RuleConditions when)
    {
        var parts = new List<string>();
        if (!when.Addresses.IsEmpty)
        {
            parts.Add(Addresses(when));
        }

        if (when.Time is not null)
        {
            parts.Add(Time(when));
        }

        if (!when.Methods.IsEmpty)
        {
            parts.Add(Methods(when));
        }

        parts.AddRange(when.Claims.Select(Claim));
        return string.Join(" and ", parts);
    }

    private static bool IsPersonal(SubjectSelector selector) =>
        selector.Kind is SubjectSelectorKind.User or SubjectSelectorKind.Robot;

    private static string Describe(SubjectSelector selector) => selector.Kind switch
    {
        SubjectSelectorKind.Everyone => "everyone",
        SubjectSelectorKind.Authenticated => "callers with credentials",
        SubjectSelectorKind.Anonymous => "anonymous callers",
        SubjectSelectorKind.User => "user " + selector.Name,
        SubjectSelectorKind.Robot => "robot " + selector.Name,
        SubjectSelectorKind.Group => "group " + selector.Name,
        _ => "workloads of issuer " + selector.Name,
    };

    private static string List(IEnumerable<string> items)
    {
        var all = items.ToList();
        var listed = string.Join(", ", all.Take(MostListed));
        return all.Count > MostListed ? $"{listed} and {all.Count - MostListed} more" : listed;
    }
}
