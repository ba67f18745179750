using System.Text;

namespace Gateway.Client.Doctor.Client;

/// <summary>
/// The variables that systemd gives a service: <c>Environment=</c> and <c>EnvironmentFile=</c> of its unit and
/// drop-ins.
/// </summary>
internal sealed class SystemdEnvironment
{
    // A file hides those of the same name in later folders (systemd.unit, "UNIT FILE LOAD PATH").
    private static readonly string[] Folders =
        [
            "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
            "/lib/systemd/system",
        ];

    private readonly Dictionary<string, (string Value, string Source)> _lines = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (string Value, string Source)> _files = new(StringComparer.Ordinal);
    private readonly List<string> _environmentFiles = [];

    private SystemdEnvironment()
    {
    }

    /// <summary>Reads the variables of a service.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="service">Without ".service".</param>
    public static SystemdEnvironment Read(ClientMachine machine, string service)
    {
        var found = new SystemdEnvironment();
        if (Array.Find([.. Folders.Select(folder => $"{folder}/{service}.service")], machine.Has) is { } unit)
        {
            found.TakeUnit(machine.Read(unit) ?? "", unit);
        }

        foreach (var dropIn in Folders.SelectMany(folder => machine.Files($"{folder}/{service}.service.d", "*.conf"))
            .DistinctBy(static path => Path.GetFileName(path), StringComparer.Ordinal)
            .OrderBy(static path => Path.GetFileName(path), StringComparer.Ordinal))
        {
            found.TakeUnit(machine.Read(dropIn) ?? "", dropIn);
        }

        foreach (var file in found._environmentFiles)
        {
            found.TakeFile(machine.Read(file) ?? "", file);
        }

        return found;
    }

    /// <summary>
    /// A variable; <see langword="null"/> if it is not set or empty. Files override lines of the unit (systemd.exec).
    /// </summary>
    public string? Value(string name) => Find(name) is ({ Length: > 0 } value, _) ? value : null;

    /// <summary>Where variables are set, ignoring case.</summary>
    public IEnumerable<string> SourcesOf(string[] names) =>
        names.SelectMany(static name => new[] { name.ToUpperInvariant(), name })
        .Select(Find)
        .Where(static one => one is { Value.Length: > 0 })
        .Select(static one => one!.Value.Source)
        .Distinct();

    private (string Value, string Source)? Find(string name) =>
        _files.TryGetValue(name, out var ofFile) ? ofFile : _lines.TryGetValue(name, out var ofLine) ? ofLine : null;

    private void TakeUnit(string text, string source)
    {
        foreach (var line in LinesOf(text))
        {
            if (line.Split('=', 2) is not [var key, var value])
            {
                continue;
            }

            switch (key.TrimEnd())
            {
                case "Environment" when value.Trim().Length == 0:
                    _lines.Clear(); // an empty assignment resets what was set before
                    break;
                case "Environment":
                    foreach (var word in WordsOf(value))
                    {
                        Set(_lines, word.Replace("%%", "%", StringComparison.Ordinal), source);
                    }

                    break;
                case "EnvironmentFile" when value.Trim().Length == 0:
                    _environmentFiles.Clear();
                    break;
                case "EnvironmentFile":
                    _environmentFiles.Add(value.Trim().TrimStart('-'));
                    break;
                case "UnsetEnvironment":
                    foreach (var word in WordsOf(value))
                    {
                        _lines.Remove(word);
                    }

                    break;
            }
        }
    }

    private void TakeFile(string text, string source)
    {
        foreach (var line in LinesOf(text))
        {
            if (line.Split('=', 2) is [var name, var value])
            {
                Set(_files, $"{name.Trim()}={Unquote(value.Trim())}", source);
            }
        }
    }

    private static void Set(Dictionary<string, (string Value, string Source)> into, string assignment, string source)
    {
        if (assignment.Split('=', 2) is [{ Length: > 0 } name, var value])
        {
            into[name] = (value, source);
        }
    }

    // A backslash at the end continues the line; comments are ignored, also between such lines.
    private static IEnumerable<string> LinesOf(string text)
    {
        var whole = new StringBuilder();
        foreach (var line in text.Split('\n').Select(static line => line.Trim()))
        {
            if (line.StartsWith('#') || line.StartsWith(';'))
            {
                continue;
            }

            if (line.EndsWith('\\'))
            {
                whole.Append(line, 0, line.Length - 1).Append(' ');
                continue;
            }

            yield return whole.Append(line).ToString();
            whole.Clear();
        }

        yield return whole.ToString();
    }

    // Words are separated by spaces; quotes of both kinds and backslash escapes are understood.
    private static IEnumerable<string> WordsOf(string text)
    {
        var word = new StringBuilder();
        var quote = '\0';
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '\\' && quote != '\'' && i + 1 < text.Length)
            {
                word.Append(text[++i]);
            }
            else if (quote != '\0' && c == quote)
            {
                quote = '\0';
            }
            else if (quote == '\0' && c is ('"' or '\''))
            {
                quote = c;
            }
            else if (quote == '\0' && c is (' ' or '\t'))
            {
                if (word.Length > 0)
                {
                    yield return word.ToString();
                }

                word.Clear();
            }
            else
            {
                word.Append(c);
            }
        }

        if (word.Length > 0)
        {
            yield return word.ToString();
        }
    }

    private static string Unquote(string value) =>
        value.Length > 1 && value[0] is ('"' or '\'') && value[^1] == value[0] ? value[1..^1] : value;
}
