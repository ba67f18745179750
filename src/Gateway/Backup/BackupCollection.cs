#pragma warning disable CA1416 // the gateway runs on Linux
using System.Security.Cryptography;
using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Configuration;
using Gateway.Server.SignIn.Sessions;
using Gateway.Server.Store.Keys;
using Gateway.Server.Store.State;
using Gateway.Server.Store.State.Sqlite;

namespace Gateway.Backup;

/// <summary>
/// Finds and reads the files that a gateway needs: the configuration, everything that it names, and the state.
/// </summary>
internal sealed class BackupCollection
{
    /// <summary>The name of the store's file in the manifest.</summary>
    public const string StoreSetting = "state";

    private const string AuditFile = "audit.file.path";
    private const string KeyFolderSetting = "tokens.keys.folder";
    private const string StateFolderSetting = "state.folder";
    private const string PoliciesSetting = "policies";

    private readonly GatewayOptions _options;
    private readonly string _folder;
    private readonly List<ArchiveSource> _sources = [];
    private readonly HashSet<string> _paths = new(StringComparer.Ordinal);
    private readonly Dictionary<string, BackupFolder> _folders = new(StringComparer.Ordinal);

    private BackupCollection(GatewayOptions options)
    {
        _options = options;
        _folder = Path.GetDirectoryName(options.File!)!;
    }

    /// <summary>The files, in the order of the archive.</summary>
    public IReadOnlyList<ArchiveSource> Sources => _sources;

    /// <summary>The folders of the files.</summary>
    public IReadOnlyList<BackupFolder> Folders => [.. _folders.Values];

    /// <summary>The path of a file as in the manifest.</summary>
    public string PathOf(string path) => ArchivePath.Within(_folder, path);

    /// <summary>Collects everything.</summary>
    /// <param name="options">Read from a file.</param>
    /// <param name="snapshot">
    /// The copy of the store, which was taken first; <see langword="null"/>: the store is in Redis.
    /// </param>
    /// <exception cref="ProblemException">
    /// A file that the configuration names is missing; a backup without it would be useless.
    /// </exception>
    public static BackupCollection Collect(GatewayOptions options, string? snapshot)
    {
        var collection = new BackupCollection(options);
        collection.AddFile("configuration", options.File!);
        foreach (var (key, path) in options.Paths.Where(static named => IsFile(named.Key)))
        {
            collection.AddFile(key, path);
        }

        // The files that the gateway reads there: policies, and questions that test them.
        collection.AddFolder(
            PoliciesSetting, options.Policies, static name => name.EndsWith(".yaml", StringComparison.Ordinal));
        if (snapshot is not null)
        {
            collection.AddSnapshot(Path.Combine(options.State.Folder, SqliteDatabase.FileName), snapshot);
        }

        // After the store, which a block is written to first.
        var blocks = Path.Combine(options.State.Folder, BlockFile.FileName);
        if (File.Exists(blocks))
        {
            collection.AddFile(StateFolderSetting, blocks);
        }

        // After the store: the keys that encrypted or signed its content existed before.
        if (options.Tokens.Keys.Store == SigningKeyStoreKind.Folder)
        {
            var sessions = Path.Combine(options.State.Folder, DataProtectionExtensions.FolderName);
            if (Directory.Exists(sessions))
            {
                collection.AddFolder(
                    StateFolderSetting, sessions, static name => name.EndsWith(".xml", StringComparison.Ordinal));
            }

            collection.AddKeys(options.KeyFolderPath());
        }

        return collection;
    }

    // The audit trail is not part of a backup; the folders are read separately.
    private static bool IsFile(string key) =>
        key is not (AuditFile or KeyFolderSetting or StateFolderSetting or PoliciesSetting);

    private void AddKeys(string folder)
    {
        AddFolder(
            KeyFolderSetting,
            folder,
            static name => name.EndsWith(".pem", StringComparison.Ordinal) || DerivedKeyFiles.Names.Contains(name));
        if (!_sources.Any(static source => source.Entry.Setting == KeyFolderSetting
            && source.Entry.Path.EndsWith(".pem", StringComparison.Ordinal)))
        {
            throw new ProblemException(new Problem(
                folder, "there are no signing keys here", null,
                "Name the running gateway's configuration, and set the GATEWAY__ variables that it has, if any."));
        }
    }

    private void AddFolder(string setting, string folder, Func<string, bool> belongs)
    {
        try
        {
            foreach (var path in Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal))
            {
                var name = Path.GetFileName(path);
                if (name[0] != '.' && belongs(name))
                {
                    AddFile(setting, path, mayVanish: true);
                }
            }

            NoteFolder(folder);
        }
        catch (DirectoryNotFoundException)
        {
            throw Unreadable(setting, folder, "no such folder");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(setting, folder, exception.Message);
        }
    }

    private void AddFile(string setting, string path, bool mayVanish = false)
    {
        if (_paths.Contains(path))
        {
            return; // two settings may name the same file
        }

        try
        {
            // The target, if it is a link: Kubernetes mounts secrets by links.
            using var file = new FileStream(
                path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var mode = File.GetUnixFileMode(file.SafeFileHandle);
            using var content = new MemoryStream();
            var buffer = new byte[64 * 1024];
            for (var count = file.Read(buffer); count > 0; count = file.Read(buffer))
            {
                content.Write(buffer, 0, count);
                if (content.Length > BackupManifest.LargestFile)
                {
                    throw Unreadable(setting, path, "it is larger than 64 MiB");
                }
            }

            Add(setting, path, content.ToArray(), null, mode);
        }
        catch (FileNotFoundException) when (mayVanish)
        {
            // removed a moment ago, like a signing key that is no longer needed
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(setting, path, exception.Message);
        }
    }

    private void AddSnapshot(string path, string snapshot) =>
        Add(StoreSetting, path, null, snapshot, File.GetUnixFileMode(snapshot));

    private void Add(string setting, string path, byte[]? content, string? file, UnixFileMode mode)
    {
        var relative = PathOf(path);
        if (!ArchivePath.IsSafe(relative))
        {
            throw Unreadable(setting, path, "its name has control characters or a backslash");
        }

        using var stream = content is not null ? new MemoryStream(content) : (Stream)File.OpenRead(file!);
        var entry = new BackupEntry
        {
            Path = relative,
            Setting = setting,
            Size = stream.Length,
            Mode = BackupManifest.FormatMode(mode),
            Sha256 = Convert.ToHexStringLower(SHA256.HashData(stream)),
        };
        _paths.Add(path);
        _sources.Add(new ArchiveSource(entry, content, file));
        NoteFolder(Path.GetDirectoryName(path)!);
    }

    private void NoteFolder(string folder)
    {
        var relative = PathOf(folder);
        if (!_folders.TryAdd(
            relative, new BackupFolder(relative, BackupManifest.FormatMode(File.GetUnixFileMode(folder)))))
        {
            return;
        }

        if (relative.Length > 0 && !ArchivePath.IsAbsolute(relative))
        {
            NoteFolder(Path.GetDirectoryName(folder)!);
        }
    }

    private ProblemException Unreadable(string setting, string path, string why) => new(new Problem(
        path, $"{setting}: it cannot be backed up", why,
        $"{_options.File} names it: put it there, or let this account (\"{Environment.UserName}\") read it."));
}
