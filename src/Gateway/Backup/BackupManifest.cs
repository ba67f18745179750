using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Foundation.Configuration;

namespace Gateway.Backup;

/// <summary>The list of a backup's content: its first file, against which every other one is checked.</summary>
internal sealed record BackupManifest
{
    /// <summary>The format that this gateway writes, and the newest that it reads.</summary>
    public const int CurrentFormat = 1;

    /// <summary>The largest operator's file that is backed up.</summary>
    public const long LargestFile = 64L * 1024 * 1024;

    /// <summary>The largest store.</summary>
    public const long LargestStore = 256L * 1024 * 1024 * 1024;

    private const int MostEntries = 10_000;

    /// <summary>The format's version.</summary>
    public required int Format { get; init; }

    /// <summary>When it was created.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The version of the gateway that created it.</summary>
    public required string Gateway { get; init; }

    /// <summary>The name of the configuration file, one of the entries.</summary>
    public required string Configuration { get; init; }

    /// <summary>Where tokens are: <c>sqlite</c> or <c>redis</c>.</summary>
    public required string Store { get; init; }

    /// <summary>Where signing keys are: <c>folder</c> or <c>redis</c>.</summary>
    public required string Keys { get; init; }

    /// <summary>The state folder, as <see cref="BackupEntry.Path"/>.</summary>
    public required string StateFolder { get; init; }

    /// <summary>The folders with their rights.</summary>
    public required IReadOnlyList<BackupFolder> Folders { get; init; }

    /// <summary>The files, in the order of the archive.</summary>
    public required IReadOnlyList<BackupEntry> Entries { get; init; }

    /// <summary>The data in Redis; <see langword="null"/> if nothing is stored there.</summary>
    public BackupEntry? Redis { get; init; }

    /// <summary>Everything that follows the manifest, in order.</summary>
    [JsonIgnore]
    public IEnumerable<BackupEntry> All => Redis is null ? Entries : [.. Entries, Redis];

    /// <summary>As JSON that people can read.</summary>
    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, BackupJsonContext.Default.BackupManifest);

    /// <summary>Reads a manifest, and refuses values that the gateway never writes.</summary>
    /// <exception cref="ProblemException">It is malformed.</exception>
    public static BackupManifest Read(string archive, ReadOnlySpan<byte> json)
    {
        BackupManifest manifest;
        try
        {
            var format = FormatOf(json);
            if (format != CurrentFormat)
            {
                throw new ProblemException(new Problem(
                    archive, "the backup has a format that this gateway does not know",
                    format.ToString(CultureInfo.InvariantCulture),
                    "Restore it with the version of the gateway that created it."));
            }

            manifest = JsonSerializer.Deserialize(json, BackupJsonContext.Default.BackupManifest)
                ?? throw new JsonException("it is null");
        }
        catch (JsonException exception)
        {
            throw Wrong(archive, "the manifest is malformed", exception.Message);
        }

        manifest.Check(archive);
        return manifest;
    }

    /// <summary>Parses rights from the manifest.</summary>
    public static UnixFileMode ParseMode(string mode) => (UnixFileMode)Convert.ToInt32(mode, 8);

    /// <summary>Formats rights for the manifest.</summary>
    public static string FormatMode(UnixFileMode mode) =>
        Convert.ToString((int)mode & 0x1FF, 8).PadLeft(4, '0');

    private static int FormatOf(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        using var document = JsonDocument.ParseValue(ref reader);
        return document.RootElement.ValueKind == JsonValueKind.Object
            && document.RootElement.TryGetProperty("format", out var format) && format.TryGetInt32(out var number)
                ? number
                : throw new JsonException("it has no format");
    }

    private static ProblemException Wrong(string archive, string what, string? found) => new(new Problem(
        archive, what, found, "Use another backup: this one is damaged, or is not from \"gateway backup\"."));

    private static bool IsMode(string mode) =>
        mode.Length == 4 && mode[0] == '0' && mode.All(static digit => digit is >= '0' and <= '7');

    private static bool IsHash(string hash) => hash.Length == 64 && hash.All(char.IsAsciiHexDigitLower);

    private void Check(string archive)
    {
        if (Entries.Count > MostEntries || Folders.Count > MostEntries)
        {
            throw Wrong(archive, "the manifest lists too many files", null);
        }

        var files = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in All)
        {
            var largest = IsStore(entry) ? LargestStore : LargestFile;
            if (!ArchivePath.IsSafe(entry.Path))
            {
                throw Wrong(archive, "the manifest names a file with an unsafe path", entry.Path);
            }

            if (!files.Add(ArchivePath.NameOf(this, entry)))
            {
                throw Wrong(archive, "the manifest names a file twice", entry.Path);
            }

            if (entry.Size < 0 || entry.Size > largest)
            {
                throw Wrong(
                    archive, $"the manifest gives {entry.Path} an impossible size",
                    entry.Size.ToString(CultureInfo.InvariantCulture));
            }

            if (!IsMode(entry.Mode) || !IsHash(entry.Sha256))
            {
                throw Wrong(archive, $"the manifest gives {entry.Path} invalid rights or an invalid hash", null);
            }
        }

        CheckPlaces(archive, files);
    }

    private void CheckPlaces(string archive, HashSet<string> files)
    {
        foreach (var name in files)
        {
            for (var slash = name.LastIndexOf('/'); slash > 0; slash = name.LastIndexOf('/', slash - 1))
            {
                if (files.Contains(name[..slash]))
                {
                    throw Wrong(archive, "the manifest names a file below another file", name);
                }
            }
        }

        foreach (var folder in Folders)
        {
            if ((folder.Path.Length > 0 && !ArchivePath.IsSafe(folder.Path)) || !IsMode(folder.Mode))
            {
                throw Wrong(archive, "the manifest names a folder with an unsafe path", folder.Path);
            }
        }

        if (Configuration.Contains('/', StringComparison.Ordinal) || Entries.All(entry => entry.Path != Configuration)
            || (StateFolder.Length > 0 && !ArchivePath.IsSafe(StateFolder))
            || Redis is { Path: not RedisBackup.FileName })
        {
            throw Wrong(archive, "the manifest does not name the configuration file or the state folder", null);
        }
    }

    private bool IsStore(BackupEntry entry) =>
        ReferenceEquals(entry, Redis) || entry.Setting == BackupCollection.StoreSetting;
}

/// <summary>Its JSON form.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true,
    NewLine = "\n",
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(BackupManifest))]
internal sealed partial class BackupJsonContext : JsonSerializerContext;
