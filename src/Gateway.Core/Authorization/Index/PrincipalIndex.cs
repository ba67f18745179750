namespace Gateway.Core.Authorization.Index;

/// <summary>
/// Numbers for everything a subject can be in a policy: a user, in a group, from an issuer, bearer of a claim.
/// </summary>
internal sealed class PrincipalIndex
{
    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string[]> _groupsOf;

    public PrincipalIndex(IEnumerable<PolicyGroup> groups) => _groupsOf = groups
        .SelectMany(
            static group => group.Members.Select(static member => member.ToString()),
            static (group, member) => (Member: member, Group: group))
        .GroupBy(static pair => pair.Member, static pair => "group:" + pair.Group.Name, StringComparer.Ordinal)
        .ToDictionary(static pairs => pairs.Key, static pairs => pairs.ToArray(), StringComparer.Ordinal);

    public int Count => _numbers.Count;

    /// <summary>The number of a principal, given out at the first mention. Only while a policy is compiled.</summary>
    public int Intern(SubjectSelector selector) => Intern(selector.ToString());

    /// <summary>The number of those who bear a claim with this value.</summary>
    public int InternClaim(string name, string value) => Intern(ClaimKey(name, value));

    /// <summary>The numbers of all that a subject is, ascending.</summary>
    /// <param name="keys">From <see cref="KeysOf"/>.</param>
    public int[] Resolve(IEnumerable<string> keys)
    {
        var numbers = new SortedSet<int>();
        foreach (var key in keys)
        {
            if (_numbers.TryGetValue(key, out var number))
            {
                numbers.Add(number);
            }
        }

        return [.. numbers];
    }

    /// <summary>All that a subject is, in the words of selectors, groups of groups included.</summary>
    public HashSet<string> KeysOf(Subject subject)
    {
        var keys = new HashSet<string>(StringComparer.Ordinal) { "everyone" };
        if (!subject.IsAnonymous)
        {
            keys.Add("authenticated");
        }

        // "issuer:github" is both the method and the selector.
        if (subject.Method.StartsWith("issuer:", StringComparison.Ordinal))
        {
            keys.Add(subject.Method);
        }

        foreach (var (name, value) in subject.Claims)
        {
            keys.Add(ClaimKey(name, value));
        }

        var self = subject.Kind switch
        {
            SubjectKind.Anonymous => "anonymous",
            SubjectKind.User => "user:" + subject.Name,
            SubjectKind.Robot => "robot:" + subject.Name,
            _ => null,
        };
        AddWithGroups(keys, subject.Groups.Select(static group => "group:" + group).Concat(self is null ? [] : [self]));
        return keys;
    }

    private void AddWithGroups(HashSet<string> keys, IEnumerable<string> members)
    {
        var seen = new HashSet<string>(members, StringComparer.Ordinal);
        var open = new Queue<string>(seen);
        while (open.TryDequeue(out var key))
        {
            keys.Add(key);
            foreach (var group in _groupsOf.GetValueOrDefault(key, []))
            {
                if (seen.Add(group))
                {
                    open.Enqueue(group);
                }
            }
        }
    }

    private int Intern(string key)
    {
        if (!_numbers.TryGetValue(key, out var number))
        {
            _numbers.Add(key, number = _numbers.Count);
        }

        return number;
    }

    private static string ClaimKey(string name, string value) => $"claim:{name}\0{value}";
}
