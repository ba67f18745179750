using Gateway.Foundation.Yaml;

namespace Gateway.Foundation.Configuration;

/// <summary>
/// Refuses keys that no options class has: with a typo, a setting must not silently keep its default.
/// </summary>
internal static class UnknownKeys
{
    /// <summary>
    /// Reports each unknown key of a section. Its value is not shown: it may be a secret under a misspelt key.
    /// </summary>
    /// <param name="type">What the section may hold.</param>
    /// <param name="mapping">What it holds.</param>
    /// <param name="section">The section's key; empty for the top level.</param>
    /// <param name="root">The complete configuration, to find keys that are in the wrong section.</param>
    /// <param name="document">Receives the problems.</param>
    public static void Report(
        SectionType type, YamlMapping mapping, string section, SectionType root, ConfigurationDocument document)
    {
        var prefix = section.Length == 0 ? "" : section + ".";
        foreach (var entry in mapping.Entries)
        {
            if (type.Keys.Contains(entry.Key, StringComparer.Ordinal))
            {
                continue;
            }

            var meant = NearestName.Find(entry.Key, type.Keys);
            document.Report(
                entry.Position,
                $"{prefix}{SettingText.Shorten(entry.Key)}: unknown key",
                meant is not null ? $"Did you mean \"{meant}\"?" : FixFor(entry.Key, type, section, root));
            if (meant is not null && mapping.Find(meant) is null)
            {
                document.MarkBroken(prefix + meant); // not reported as missing as well
            }
        }
    }

    private static string FixFor(string key, SectionType type, string section, SectionType root)
    {
        if (FindElsewhere(root, key, "") is { } elsewhere)
        {
            return $"It belongs to \"{elsewhere}\"; check the indentation.";
        }

        var place = section.Length == 0 ? "at the top level" : $"in \"{section}\"";
        return $"Known {place}: {string.Join(", ", type.Keys)}.";
    }

    private static string? FindElsewhere(SettingType type, string key, string path)
    {
        switch (type)
        {
            case ListType list:
                return FindElsewhere(list.Item, key, path + "[]");
            case MapType map:
                return FindElsewhere(map.Value, key, path + ".*");
            case SectionType section when path.Length > 0 && section.Keys.Contains(key, StringComparer.Ordinal):
                return path;
            case SectionType section:
                var prefix = path.Length == 0 ? "" : path + ".";
                return section.Settings
                    .Select(setting => FindElsewhere(setting.Type, key, prefix + setting.Key))
                    .FirstOrDefault(static found => found is not null);
            default:
                return null;
        }
    }
}
