using System.Collections.Concurrent;
using System.Text.Json;
using Tomlyn;
using Tomlyn.Model;
using Tomlyn.Serialization;

namespace Gateway.Client.Doctor.Client;

/// <summary>The machine that clients run on: their files, below a root, and their environment.</summary>
/// <param name="Root">The root of its file system: <c>/</c>, except in tests and for another machine's files.</param>
/// <param name="Environment">The variables of the user who runs the clients.</param>
internal sealed record ClientMachine(string Root, IReadOnlyDictionary<string, string> Environment)
{
    /// <summary>The home of the user who runs the clients, from the root.</summary>
    public string Home => Environment.GetValueOrDefault("HOME") is { Length: > 0 } home ? home : "/root";

    /// <summary>A variable; <see langword="null"/> where it is not set or empty.</summary>
    public string? Variable(string name) => Environment.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;

    private const int LargestFile = 1 << 20;
    private const int MostFiles = 200;

    private readonly ConcurrentDictionary<string, string> _unread = new(StringComparer.Ordinal);

    /// <summary>
    /// The files and folders that exist but could not be read, with the reason: their content is unknown.
    /// </summary>
    public IReadOnlyList<(string Path, string Reason)> Unread =>
        [.. _unread.OrderBy(static one => one.Key, StringComparer.Ordinal).Select(static one => (one.Key, one.Value))];

    /// <summary>The path of a machine's file for this process; ".." never leads out of the root.</summary>
    public string At(string path) => Path.Combine(Root, Path.GetFullPath("/" + path).TrimStart('/'));

    /// <summary>Whether a file or folder exists.</summary>
    public bool Has(string path) => File.Exists(At(path)) || Directory.Exists(At(path));

    /// <summary>The text of a file; <see langword="null"/> if it does not exist or cannot be read.</summary>
    public string? Read(string path)
    {
        try
        {
            var file = At(path);
            if (!File.Exists(file))
            {
                return null;
            }

            if (!IsInside(file))
            {
                _unread[path] = "it is a link that leads out of the root folder";
                return null;
            }

            // A pipe or device, which would block the doctor or never end, has no length, like an empty file.
            if (new FileInfo(File.ResolveLinkTarget(file, returnFinalTarget: true)?.FullName ?? file).Length == 0)
            {
                return "";
            }

            using var stream = new FileStream(
                file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[LargestFile + 1];
            var length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (length > LargestFile)
            {
                _unread[path] = "it is larger than 1 MiB, so it was not read";
                return null;
            }

            using var text = new StreamReader(new MemoryStream(bytes, 0, length));
            return text.ReadToEnd();
        }
        catch (Exception exception)
            when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            _unread[path] = exception is UnauthorizedAccessException ? "permission denied" : DoctorText.Of(exception);
            return null;
        }
    }

    // Another machine's links are its own: they must not lead to this machine's files.
    private bool IsInside(string file)
    {
        if (Root == "/")
        {
            return true;
        }

        var root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(Root));
        for (var at = file; at is not null && at.Length > root.Length; at = Path.GetDirectoryName(at))
        {
            if (new FileInfo(at).LinkTarget is not null
                && (File.ResolveLinkTarget(at, returnFinalTarget: true)?.FullName.StartsWith(
                    root + "/", StringComparison.Ordinal)) != true)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The files of a folder, by name; none if it does not exist.</summary>
    /// <param name="folder">As the machine names it.</param>
    /// <param name="pattern"><c>*.conf</c>.</param>
    public IEnumerable<string> Files(string folder, string pattern)
    {
        try
        {
            return Directory.Exists(At(folder))
                ? [
                    .. Directory.EnumerateFiles(At(folder), pattern)
                        .Take(MostFiles)
                        .Select(file => $"{folder.TrimEnd('/')}/{Path.GetFileName(file)}")
                        .Order(StringComparer.Ordinal),
                ]
                : [];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _unread[folder] = exception is UnauthorizedAccessException ? "permission denied" : DoctorText.Of(exception);
            return [];
        }
    }

    /// <summary>Whether a program is on the PATH.</summary>
    public bool HasProgram(string name) => ProgramOf(name) is not null;

    /// <summary>
    /// The file of a program on the PATH, in absolute folders only: never a program in the current folder.
    /// </summary>
    public string? ProgramOf(string name) =>
        (Variable("PATH") ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .Split(':', StringSplitOptions.RemoveEmptyEntries).Where(static folder => folder.StartsWith('/'))
        .Select(folder => At($"{folder}/{name}")).FirstOrDefault(File.Exists);

    /// <summary>Reads a JSON object.</summary>
    /// <param name="path">As the machine names it.</param>
    /// <param name="fault">What is wrong with it; <see langword="null"/> if nothing is, or there is no file.</param>
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

            fault = "it is not a JSON object";
        }
        catch (JsonException exception)
        {
            fault = exception.Message;
        }

        return null;
    }

    /// <summary>Reads a TOML file.</summary>
    /// <param name="path">As the machine names it.</param>
    /// <param name="fault">What is wrong with it; <see langword="null"/> if nothing is, or there is no file.</param>
    public TomlTable? ReadToml(string path, out string? fault)
    {
        fault = null;
        if (Read(path) is not { } text)
        {
            return null;
        }

        try
        {
            return TomlSerializer.Deserialize(text, ClientTomlContext.Default.TomlTable);
        }
        catch (TomlException exception)
        {
            fault = exception.Message;
            _unread[path] = fault;
            return null;
        }
    }
}

/// <summary>What the native program needs to read TOML, which has no reflection.</summary>
[TomlSerializable(typeof(TomlTable))]
internal sealed partial class ClientTomlContext : TomlSerializerContext;
