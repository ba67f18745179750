using System.Runtime.InteropServices;
using Gateway.Core.Authorization;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.Registry.Policies;

/// <summary>
/// Puts files together: looks roles up, and finds what is wrong between files, such as one name given twice.
/// </summary>
internal sealed class PolicyAssembly
{
    private const int MaxDepth = 16;

    private readonly ProblemCollector _problems;
    private readonly Dictionary<string, RepositoryActions> _roles = new(StringComparer.Ordinal)
    {
        ["reader"] = RepositoryActions.Pull,
        ["writer"] = RepositoryActions.Pull | RepositoryActions.Push,
        ["owner"] = RepositoryActions.Pull | RepositoryActions.Push | RepositoryActions.Delete,
    };

    private readonly Dictionary<string, DeclaredRole> _declaredRoles = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Declared<PolicyGroup>> _groups = new(StringComparer.Ordinal);
    private readonly List<Declared<PolicyRule>> _rules = [];

    /// <summary>Puts files together.</summary>
    /// <param name="files">What was read of them, in their order.</param>
    /// <param name="problems">Told of everything that is wrong.</param>
    public PolicyAssembly(IReadOnlyCollection<PolicyFileReading> files, ProblemCollector problems)
    {
        _problems = problems;
        foreach (var file in files)
        {
            AddRoles(file);
            AddGroups(file);
        }

        // Only now: a rule may use the role of a file that is read after its own.
        var count = files.Sum(static file => file.Rules.Length);
        var names = new Dictionary<string, PolicyRule>(count, StringComparer.Ordinal);
        _rules.Capacity = Math.Min(count, RuleReader.MaxRules);
        foreach (var file in files)
        {
            AddRules(file, names);
        }

        CheckCircles();
        Definition = new PolicyDefinition(
            [.. _rules.Select(static rule => rule.Value)], [.. _groups.Values.Select(static group => group.Value)]);
    }

    /// <summary>All rules and groups.</summary>
    public PolicyDefinition Definition { get; }

    /// <summary>What is allowed but hardly meant, from the first file's top to the last one's end.</summary>
    public IReadOnlyList<Problem> FindWarnings()
    {
        var warnings = new PolicyWarnings();
        foreach (var rule in _rules)
        {
            warnings.CheckRule(rule.Value, rule.At);
        }

        warnings.CheckGroups(_groups, _rules);
        return warnings.ToList();
    }

    private void AddRoles(PolicyFileReading file)
    {
        foreach (var role in file.Roles)
        {
            if (_roles.TryAdd(role.Name, role.Actions))
            {
                _declaredRoles.Add(role.Name, role);
                continue;
            }

            var where = _declaredRoles.TryGetValue(role.Name, out var first)
                ? $"declared in {Path.GetFileName(first.At.Origin)}:{first.At.Line}"
                : "built in";
            _problems.Add(role.At, "a role of this name is " + where, role.Name, "Choose another name.");
        }
    }

    private void AddGroups(PolicyFileReading file)
    {
        foreach (var group in file.Groups)
        {
            var name = group.Value.Name;
            if (!_groups.TryAdd(name, group))
            {
                // Merged silently, one team's file could add members to another team's group.
                _problems.Add(
                    group.At,
                    $"group already declared in {_groups[name].Where}",
                    name,
                    "Declare a group once; nest groups with \"group:NAME\" among the members.");
            }
        }
    }

    private void AddRules(PolicyFileReading file, Dictionary<string, PolicyRule> names)
    {
        for (var i = 0; i < file.Rules.Length; i++)
        {
            ref var read = ref file.Rules[i];
            var at = new SourcePosition(file.Path, read.Rule.Identity.Line, read.Column);
            if (_rules.Count == RuleReader.MaxRules)
            {
                _problems.Add(at, $"more than {RuleReader.MaxRules} rules", null, RuleReader.TooManyFix);
                return;
            }

            LookUpRole(ref read, file.Path);
            var name = read.Rule.Identity.Name;
            ref var first = ref CollectionsMarshal.GetValueRefOrAddDefault(names, name, out var isTaken);
            if (isTaken)
            {
                _problems.Add(
                    at,
                    $"a rule with this name is already in {first!.Identity.File}:{first.Identity.Line}",
                    name,
                    "Give it another name: error messages and audit lines name rules.");
                continue;
            }

            first = read.Rule;
            _rules.Add(new(read.Rule, at));
        }
    }

    // A rule that was read before may have the actions of a role that has changed since, or is gone.
    private void LookUpRole(ref ReadRule read, string path)
    {
        if (read.Role is not { } role)
        {
            return;
        }

        if (!_roles.TryGetValue(role, out var actions))
        {
            _problems.Add(
                new SourcePosition(path, read.RoleLine, read.RoleColumn),
                "role: unknown role",
                role,
                NearestName.Hint(role, _roles.Keys));
        }

        if (read.Rule.Actions != actions)
        {
            read = read with { Rule = read.Rule with { Actions = actions } };
        }
    }

    // Groups that contain themselves, and nesting that is too deep.
    private void CheckCircles()
    {
        var done = new HashSet<string>(StringComparer.Ordinal);
        var path = new List<string>();
        foreach (var name in _groups.Keys)
        {
            Visit(name);
        }

        void Visit(string name)
        {
            if (!_groups.TryGetValue(name, out var group) || done.Contains(name))
            {
                return;
            }

            var at = path.IndexOf(name);
            if (at >= 0 || path.Count == MaxDepth)
            {
                var circle = string.Join(" → ", path.Skip(Math.Max(at, 0)).Append(name));
                _problems.Add(
                    group.At,
                    at >= 0 ? "groups: a circular reference" : $"groups: nested more than {MaxDepth} deep",
                    circle,
                    "Remove one of the groups from another.");
                done.Add(name);
                return;
            }

            path.Add(name);
            foreach (var member in group.Value.Members.Where(static member => member.Kind == SubjectSelectorKind.Group))
            {
                Visit(member.Name);
            }

            path.RemoveAt(path.Count - 1);
            done.Add(name);
        }
    }
}
