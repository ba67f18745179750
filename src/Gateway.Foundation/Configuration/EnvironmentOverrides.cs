using System.Globalization;
using System.Text;
using Gateway.Foundation.Yaml;

namespace Gateway.Foundation.Configuration;

/// <summary>
/// Applies environment variables such as <c>GATEWAY__Registries__0__Upstreams__0</c> to a file's values. Segments are
/// property names in any case, indexes of lists (one past the end adds an item) and names in maps.
/// </summary>
internal sealed class EnvironmentOverrides
{
    private const string Prefix = "GATEWAY__";
    private const string Separator = "__";

    private readonly SectionType _root;
    private readonly ProblemCollector _problems;

    private EnvironmentOverrides(SectionType root, ProblemCollector problems)
    {
        _root = root;
        _problems = problems;
    }

    /// <summary>
    /// Changes <paramref name="tree"/>; a variable that matches no setting is a problem, like an unknown key in the
    /// file.
    /// </summary>
    public static void Apply(
        SectionType root, YamlMapping tree, IReadOnlyDictionary<string, string> environment, ProblemCollector problems)
    {
        var overrides = new EnvironmentOverrides(root, problems);
        foreach (var variables in environment
            .Where(static variable => variable.Key.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
            .GroupBy(static variable => variable.Key, StringComparer.OrdinalIgnoreCase)
            .OrderBy(static variables => SortKey(variables.Key), StringComparer.Ordinal)) // index 0 before 1 before 10
        {
            var names = variables.Select(static variable => variable.Key).Order(StringComparer.Ordinal).ToList();
            if (names.Count > 1)
            {
                overrides.Report(
                    names[1], $"differs from {names[0]} in upper and lower case only", "Remove one of the two.");
                continue;
            }

            overrides.Apply(tree, names[0], variables.Single().Value);
        }
    }

    /// <summary>
    /// The variable that sets a key: <c>registries[0].name</c> is <c>GATEWAY__Registries__0__Name</c>.
    /// </summary>
    public static string VariableOf(string key)
    {
        var name = new StringBuilder(Prefix);
        foreach (var segment in key.Split('.', '['))
        {
            name.Append(name.Length == Prefix.Length ? "" : Separator);
            name.Append(char.ToUpperInvariant(segment[0])).Append(segment.AsSpan(1).TrimEnd(']'));
        }

        return name.ToString();
    }

    private static string SortKey(string variable) => string.Join(
        '\0',
        variable.ToUpperInvariant().Split(Separator)
            .Select(static segment => segment.All(char.IsAsciiDigit) ? segment.PadLeft(10, '0') : segment));

    private void Apply(YamlMapping tree, string variable, string value)
    {
        if (!TryResolve(variable, out var steps))
        {
            return;
        }

        var position = SourcePosition.OfEnvironment(variable);
        YamlNode? container = tree;
        foreach (var step in steps.SkipLast(1))
        {
            container = Descend(container, step, position);
        }

        if (container is not null) // else the file holds something else there, and the binder reports that
        {
            Write(container, steps[^1], new YamlScalar(position, value, isPlain: false));
        }
    }

    /// <summary>
    /// Finds what a variable names, without changing anything: a misspelt one leaves no incomplete section.
    /// </summary>
    private bool TryResolve(string variable, out List<Step> steps)
    {
        steps = [];
        SettingType type = _root;
        var parent = Prefix[..^Separator.Length];
        foreach (var segment in variable[Prefix.Length..].Split(Separator))
        {
            if (StepInto(type, segment) is not { } step)
            {
                Report(variable, DescribeUnknown(type, parent, segment, out var fix), fix);
                return false;
            }

            steps.Add(step);
            type = step.Type;
            parent += Separator + step.Name;
        }

        if (type is ScalarType)
        {
            return true;
        }

        Report(variable, $"names {type.Kind}, not one value", type switch
        {
            SectionType section => $"Set one of its settings: {VariablesBelow(parent, section)}.",
            ListType => $"Set its items one by one, beginning with {parent}{Separator}0.",
            _ => $"Set its entries one by one: {parent}{Separator}NAME.",
        });
        return false;
    }

    private static Step? StepInto(SettingType type, string segment)
    {
        switch (type)
        {
            case SectionType section:
                foreach (var setting in section.Settings)
                {
                    if (string.Equals(setting.Key, segment, StringComparison.OrdinalIgnoreCase))
                    {
                        return new Step(setting.Property.Name, setting.Key, setting.Type, setting, setting.FileKey);
                    }

                    if (string.Equals(setting.FileKey, segment, StringComparison.OrdinalIgnoreCase))
                    {
                        var name = setting.Property.Name + "File";
                        return new Step(name, setting.FileKey!, setting.Type, setting, setting.Key);
                    }
                }

                return null;
            case ListType list:
                return int.TryParse(segment, NumberStyles.None, CultureInfo.InvariantCulture, out _)
                    ? new Step(segment, segment, list.Item, null, null)
                    : null;
            case MapType map:
                return segment.Length > 0 ? new Step(segment, segment, map.Value, null, null) : null;
            default:
                return null;
        }
    }

    private static string DescribeUnknown(SettingType type, string parent, string segment, out string fix)
    {
        switch (type)
        {
            case SectionType section:
                var meant = NearestName.Find(segment, section.Keys);
                fix = meant is not null
                    ? $"Did you mean {parent}{Separator}{char.ToUpperInvariant(meant[0])}{meant[1..]}?"
                    : $"Known: {VariablesBelow(parent, section)}.";
                return "names no setting";
            case ListType:
                fix = $"Items are numbered: {parent}{Separator}0.";
                return "names no item of a list";
            default:
                fix = $"Set {parent} itself.";
                return $"continues below {parent}, which is one value";
        }
    }

    private static string VariablesBelow(string parent, SectionType section) =>
        string.Join(", ", section.Keys.Select(key => $"{parent}{Separator}{char.ToUpperInvariant(key[0])}{key[1..]}"));

    private YamlNode? Descend(YamlNode? container, Step step, SourcePosition position)
    {
        var child = Read(container, step);
        if (container is null || child is { IsNull: false })
        {
            return child;
        }

        child = step.Type is ListType ? new YamlList(position) : new YamlMapping(position);
        return Write(container, step, child) ? child : null;
    }

    private static YamlNode? Read(YamlNode? container, Step step) => container switch
    {
        YamlMapping mapping => mapping.Find(KeyIn(mapping, step)),
        YamlList list => list.Items.ElementAtOrDefault(IndexOf(step)),
        _ => null,
    };

    private bool Write(YamlNode container, Step step, YamlNode value)
    {
        switch (container)
        {
            case YamlMapping mapping:
                WriteKey(mapping, step, value);
                return true;
            case YamlList list when IndexOf(step) < list.Items.Count:
                list.Items[IndexOf(step)] = value;
                return true;
            case YamlList list when IndexOf(step) == list.Items.Count:
                list.Items.Add(value);
                return true;
            case YamlList list:
                _problems.Add(
                    value.Position,
                    $"there is no item {step.Key}",
                    null,
                    $"The list holds {list.Items.Count} so far; the next is number {list.Items.Count}.");
                return false;
            default:
                return false; // the binder reports what the file holds there
        }
    }

    private static void WriteKey(YamlMapping mapping, Step step, YamlNode value)
    {
        var key = KeyIn(mapping, step);
        // Empty means "not set" for a setting that may be unset, since the environment has no other way to express
        // that.
        var remove = value is YamlScalar { Text: "" }
            && step.Setting is { IsNullable: true, IsRequired: false, IsSecret: false };
        mapping.Entries.RemoveAll(entry => string.Equals(entry.Key, key, StringComparison.Ordinal)
            || (string.Equals(entry.Key, step.Alternative, StringComparison.Ordinal) && !FromEnvironment(entry)));
        if (!remove)
        {
            mapping.Entries.Add(new YamlEntry(key, value.Position, value));
        }
    }

    // A secret in the environment replaces that in the file, whichever of its two keys either uses.
    private static bool FromEnvironment(YamlEntry entry) => entry.Value.Position.Line == 0;

    // Names in maps are the operator's: the spelling in the file is kept, whatever case the variable has.
    private static string KeyIn(YamlMapping mapping, Step step)
    {
        var existing = step.Setting is null
            ? mapping.Entries.Find(entry => string.Equals(entry.Key, step.Key, StringComparison.OrdinalIgnoreCase))
            : null;
        return existing?.Key ?? step.Key;
    }

    private static int IndexOf(Step step) => int.Parse(step.Key, NumberStyles.None, CultureInfo.InvariantCulture);

    private void Report(string variable, string what, string fix) =>
        _problems.Add(SourcePosition.OfEnvironment(variable), what, null, fix);

    /// <param name="Name">As in variables.</param>
    /// <param name="Key">As in the file: a key, an index, or a name.</param>
    /// <param name="Type">Its type.</param>
    /// <param name="Setting">The setting; none for items of lists and maps.</param>
    /// <param name="Alternative">The other key of a secret: its value's, or its file's.</param>
    private sealed record Step(string Name, string Key, SettingType Type, Setting? Setting, string? Alternative);
}
