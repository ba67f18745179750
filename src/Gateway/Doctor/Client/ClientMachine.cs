using System.Text.Json;
using Tomlyn;
using Tomlyn.Model;

namespace Gateway.Doctor.Client;

/// <summary>The machine that clients run on: their files, below a root, and their environment.</summary>
/// <param name="Root">Where its file system begins; <c>/</c> but in tests and for another machine's files.</param>
/// <param name="Environment">The variables of whoever runs the clients.</param>
internal sealed record ClientMachine(string Root, IReadOnlyDictionary<string, string> Environment)
{
    /// <summary>The home of whoever runs the clients, from the root.</summary>
    public string Home => Environment.GetValueOrDefault("HOME") is { Length: > 0 } home ? home : "/root";

    /// <summary>A variable; <see langword="null"/> where it is not set or empty.</summary>
    public string? Variable(string name) => Environment.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;

    /// <summary>Where a path of the machine is for this process.</summary>
    public string At(string path) => Path.Combine(Root, path.TrimStart('/'));

    /// <summary>Whether there is a file or folder.</summary>
    public bool Has(string path) => File.Exists(At(path)) || Directory.Exists(At(path));

    /// <summary>The text of a file; <see langword="null"/> where it is not there or not to be read.</summary>
    public string? Read(string path)
    {
        try
        {
            return File.Exists(At(path)) ? File.ReadAllText(At(path)) : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The files of a folder, by name; none where it is not there.</summary>
    /// <param name="folder">As the machine names it.</param>
    /// <param name="pattern"><c>*.conf</c>.</param>
    public IEnumerable<string> Files(string folder, string pattern)
    {
        try
        {
            return Directory.Exists(At(folder))
                ? [.. Directory.EnumerateFiles(At(folder), pattern).Select(file => $"{folder.TrimEnd('/')}/{Path.GetFileName(file)}").Order(StringComparer.Ordinal)]
                : [];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Whether a program is on the path.</summary>
    public bool HasProgram(string name) => (Variable("PATH") ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .Split(':', StringSplitOptions.RemoveEmptyEntries).Any(folder => File.Exists(At($"{folder}/{name}")));

    /// <summary>Reads a JSON object.</summary>
    /// <param name="path">As the machine names it.</param>
    /// <param name="fault">What is wrong with it; <see langword="null"/> where nothing is, or there is no file.</param>
    public JsonElement? ReadJson(string path, out string? fault)
    {
        fault = null;
        if (Read(path) is not { } text || string.IsNullOrWhiteSpace(text))
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(text);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                return document.RootElement.Clone();
            }

            fault = "it is no JSON object";
        }
        catch (JsonException exception)
        {
            fault = exception.Message;
        }

        return null;
    }

    /// <summary>Reads a TOML file.</summary>
    /// <param name="path">As the machine names it.</param>
    /// <param name="fault">What is wrong with it; <see langword="null"/> where nothing is, or there is no file.</param>
    public TomlTable? ReadToml(string path, out string? fault)
    {
        fault = null;
        if (Read(path) is not { } text)
        {
            return null;
        }

        try
        {
            return TomlSerializer.Deserialize<TomlTable>(text);
        }
        catch (TomlException exception)
        {
            fault = exception.Message;
            return null;
        }
    }
}
