using System.Collections;
using System.Globalization;
using Gateway.Foundation.Yaml;

namespace Gateway.Foundation.Configuration;

/// <summary>
/// Fills option classes from a file and the environment; reports every problem, not only the first.
/// </summary>
/// <remarks>
/// If a value cannot be read, its default is kept and its key is marked broken. Only validators use the result of a run
/// with problems.
/// </remarks>
/// <param name="document">Receives what is wrong, and the position of each key.</param>
/// <param name="folder">What relative paths are relative to.</param>
/// <param name="root">The shape of the configuration.</param>
/// <param name="locate">
/// Where a secret's file is while it is not in its place; <see langword="null"/>: in its place.
/// </param>
internal sealed class OptionsBinder(
    ConfigurationDocument document, string folder, SectionType root, Func<string, string>? locate = null)
{
    private readonly List<NamedPath> _paths = [];

    /// <summary>Every file and folder that the configuration names, explicitly or by a default.</summary>
    public IReadOnlyList<NamedPath> Paths => _paths;

    /// <summary>Binds the root section.</summary>
    public object Bind(YamlNode node)
    {
        if (node is YamlMapping)
        {
            return BindSection(root, node, "");
        }

        if (node is not YamlRefused)
        {
            document.Report(
                node.Position,
                $"the file holds {node.Kind}, but settings are expected",
                $"Write them as \"key: value\", for example \"{root.Settings[0].Key}: …\".");
        }

        document.MarkBroken("");
        return Activator.CreateInstance(root.OptionsClass)!;
    }

    private static string Join(string section, string key) => section.Length == 0 ? key : $"{section}.{key}";

    private static string Item(string list, int index) =>
        string.Create(CultureInfo.InvariantCulture, $"{list}[{index}]");

    private static string? Printable(ScalarType type, string text, Setting? setting)
    {
        if (setting is { IsPrintable: false })
        {
            return null;
        }

        // Whatever its type: a URL with a password may be where a host or an address belongs.
        return type.Form == ScalarForm.Url
            || text.Contains('@', StringComparison.Ordinal)
            || text.Contains("://", StringComparison.Ordinal)
                ? SettingText.WithoutUrlSecrets(text)
                : text;
    }

    private object BindSection(SectionType type, YamlNode? node, string key)
    {
        var options = Activator.CreateInstance(type.OptionsClass)!;
        var mapping = AsMapping(node, type, key);
        if (mapping is not null)
        {
            document.Record(key, mapping.Position, null);
            UnknownKeys.Report(type, mapping, key, root, document);
        }

        foreach (var setting in type.Settings)
        {
            BindSetting(setting, options, mapping, key);
        }

        return options;
    }

    private void BindSetting(Setting setting, object options, YamlMapping? mapping, string section)
    {
        var key = Join(section, setting.Key);
        var node = mapping?.Find(setting.Key);
        if (setting.FileKey is { } fileKey && mapping?.Find(fileKey) is { IsNull: false } file)
        {
            node = ReadSecretFile(file, node, key, Join(section, fileKey));
        }

        if (node is null or { IsNull: true })
        {
            if (setting.IsRequired)
            {
                ReportMissing(setting, key, "is missing");
            }
            else if (setting is { IsNullable: false, Type: SectionType absent })
            {
                setting.Property.SetValue(options, BindSection(absent, null, key)); // it may have required settings
            }
            else if (setting is { IsPath: true, Default: string { Length: > 0 } path })
            {
                setting.Property.SetValue(options, ResolvePath(path, key)); // a default is relative to the file as well
            }

            return;
        }

        if (BindValue(setting.Type, node, key, setting) is { } value)
        {
            setting.Property.SetValue(options, value);
        }
    }

    private object? BindValue(SettingType type, YamlNode node, string key, Setting? setting)
    {
        document.Record(key, node.Position, null);
        return type switch
        {
            ScalarType scalar => BindScalar(scalar, node, key, setting),
            ListType list => BindList(list, node, key, setting),
            MapType map => BindMap(map, node, key),
            SectionType section when AsMapping(node, section, key) is not null => BindSection(section, node, key),
            _ => null,
        };
    }

    private object? BindScalar(ScalarType type, YamlNode node, string key, Setting? setting)
    {
        if (node is not YamlScalar { Text: var text })
        {
            ReportKind(type, node, key);
            return null;
        }

        document.Record(key, node.Position, text.Length == 0 ? null : Printable(type, text, setting));
        if (string.IsNullOrWhiteSpace(text))
        {
            return BindEmpty(type, text, key, setting);
        }

        if (!ScalarParser.TryParse(type, text, out var value, out var what, out var fix))
        {
            Break(key, what, fix);
            return null;
        }

        return setting is { IsPath: true } ? ResolvePath(text, key) : value;
    }

    // Empty text is a value only for a setting whose default is neither null nor required.
    private string? BindEmpty(ScalarType type, string text, string key, Setting? setting)
    {
        if (text.Length == 0 && type.Form == ScalarForm.Text
            && setting is { Type: ScalarType, IsNullable: false, IsRequired: false, IsSecret: false, IsPath: false })
        {
            return text;
        }

        if (setting is { IsRequired: true })
        {
            ReportMissing(setting, key, "is empty");
        }
        else
        {
            Break(key, "is empty", "Give it a value, or remove it.");
        }

        return null;
    }

    private string? ResolvePath(string text, string key)
    {
        if (text.Contains('\0', StringComparison.Ordinal))
        {
            Break(key, "is not a path", "Write the path of a file or folder.");
            return null;
        }

        var path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(text, folder));
        _paths.Add(new NamedPath(key, path));
        return path;
    }

    private IList? BindList(ListType type, YamlNode node, string key, Setting? setting)
    {
        if (node is not YamlList { Items: var items })
        {
            ReportKind(type, node, key);
            return null;
        }

        var list = (IList)Activator.CreateInstance(typeof(List<>).MakeGenericType(type.ItemClass))!;
        if (items.Count == 0 && setting is { IsRequired: true })
        {
            ReportMissing(setting, key, "is empty");
        }

        for (var i = 0; i < items.Count; i++)
        {
            // An unreadable item leaves a placeholder: validators find every other item at its own index.
            list.Add(BindItem(type.Item, items[i], Item(key, i), setting) ?? Placeholder(type));
        }

        return list;
    }

    private static object? Placeholder(ListType type) => type.Item switch
    {
        SectionType section => Activator.CreateInstance(section.OptionsClass),
        ScalarType { Form: ScalarForm.Text } => "",
        _ => type.ItemClass.IsValueType ? Activator.CreateInstance(type.ItemClass) : null,
    };

    private IDictionary? BindMap(MapType type, YamlNode node, string key)
    {
        if (node is not YamlMapping { Entries: var entries })
        {
            ReportKind(type, node, key);
            return null;
        }

        var mapClass = typeof(Dictionary<,>).MakeGenericType(typeof(string), type.ValueClass);
        var map = (IDictionary)Activator.CreateInstance(mapClass)!;
        foreach (var entry in entries)
        {
            if (BindItem(type.Value, entry.Value, Join(key, SettingText.Shorten(entry.Key)), null) is { } value)
            {
                map.Add(entry.Key, value);
            }
        }

        return map;
    }

    private object? BindItem(SettingType type, YamlNode node, string key, Setting? setting)
    {
        if (!node.IsNull)
        {
            return BindValue(type, node, key, setting);
        }

        document.Record(key, node.Position, null);
        Break(key, "has no value", "Give it one, or remove the line.");
        return null;
    }

    // A secret from a file becomes the text of its setting, at the position that named the file.
    private YamlScalar? ReadSecretFile(YamlNode file, YamlNode? direct, string key, string fileKey)
    {
        // The file's name is not shown: it may be the secret itself, under the wrong key.
        document.Record(key, file.Position, null);
        document.Record(fileKey, file.Position, null);
        if (direct is { IsNull: false })
        {
            Break(key, $"is given both here and as {fileKey}", "Keep one of the two.");
            return null;
        }

        if (file is not YamlScalar { Text: var text } || string.IsNullOrWhiteSpace(text))
        {
            BindScalar(new ScalarType(ScalarForm.Text, typeof(string)), file, fileKey, null); // reports what is wrong
        }
        else if (ResolvePath(text, fileKey) is { } path)
        {
            if (SecretFile.TryRead(locate?.Invoke(path) ?? path, out var fault) is { } secret)
            {
                return new YamlScalar(file.Position, secret, isPlain: false);
            }

            Break(
                fileKey,
                fault.Text,
                $"Name a file, relative to {folder}, that holds the secret and that the gateway can read.",
                fault.Kind);
        }

        document.MarkBroken(key);
        return null;
    }

    private YamlMapping? AsMapping(YamlNode? node, SettingType type, string key)
    {
        if (node is null or YamlMapping)
        {
            return node as YamlMapping;
        }

        ReportKind(type, node, key);
        return null;
    }

    private void ReportKind(SettingType type, YamlNode node, string key)
    {
        if (node is YamlRefused)
        {
            document.MarkBroken(key);
            return;
        }

        // The value found is not shown: where a section is expected it may well be a secret.
        Break(key, $"is {node.Kind}, but {type.Kind} is expected", type switch
        {
            SectionType section => $"Write its settings below it, indented: {string.Join(", ", section.Keys)}.",
            MapType => "Write its names below it, indented, each with a value.",
            ListType => "Write each item on a line of its own below it, indented, with \"- \" before it.",
            _ => "Write the value after the key, on one line.",
        });
    }

    private void ReportMissing(Setting setting, string key, string what)
    {
        if (document.IsBroken(key))
        {
            return;
        }

        Break(key, what, setting.Type switch
        {
            ScalarType => $"Set it in the file, or as {EnvironmentOverrides.VariableOf(key)}.",
            ListType { Item: ScalarType } =>
                $"Set it in the file, or as {EnvironmentOverrides.VariableOf(Item(key, 0))}.",
            ListType { Item: SectionType item } => "Add one to the file, with "
                + string.Join(" and ", item.Settings.Where(static s => s.IsNeeded).Select(static s => s.Key)) + ".",
            _ => "Set it in the file.",
        });
    }

    private void Break(string key, string what, string fix, ProblemKind kind = ProblemKind.Other)
    {
        document.Report(key, what, fix, kind);
        document.MarkBroken(key);
    }
}
