#pragma warning disable CA1416 // the gateway runs on Linux
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Files;

namespace Gateway.Server.Store.Keys;

/// <summary>A folder with one file a signing key, which replicas may share; and what registries are given.</summary>
/// <remarks>
/// Changes hold a lock on a file in it, which network file systems know too, goes with the process that held it, and is
/// no part of the keys. A file appears whole, by a rename.
/// </remarks>
internal sealed partial class KeyFolder : ISigningKeyStore
{
    private const int LargestFile = 64 * 1024;
    private const int WouldBlock = 11; // EWOULDBLOCK: another process holds the lock
    private const string KeySuffix = ".pem";
    private const UnixFileMode OwnerReads = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerOnly = OwnerReads | UnixFileMode.UserExecute;
    private const UnixFileMode Others = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan BetweenAttempts = TimeSpan.FromMilliseconds(20);

    private readonly string _folder;
    private readonly SigningKeySchedule _schedule;
    private readonly DerivedKeyFiles _derived;

    public KeyFolder(string folder, SigningKeySchedule schedule)
    {
        _folder = Path.GetFullPath(folder);
        _schedule = schedule;
        _derived = new DerivedKeyFiles(_folder);
    }

    /// <summary>The folder's full path.</summary>
    public string Location => _folder;

    /// <summary>Where the keys are: as configured, or in the state folder.</summary>
    public static string PathFrom(SigningKeyOptions options, string stateFolder) =>
        options.Folder ?? Path.Combine(stateFolder, "keys");

    /// <summary>What to watch for changes: the key files, not the files made from them.</summary>
    public IEnumerable<string> Paths
    {
        get
        {
            try
            {
                return [.. Directory.EnumerateFiles(_folder, "*" + KeySuffix).Order(StringComparer.Ordinal)];
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                return [_folder]; // reading it tells what is wrong
            }
        }
    }

    /// <summary>Whether a folder has files of keys, whatever is in them.</summary>
    public static bool HasKeys(string folder)
    {
        try
        {
            return Directory.EnumerateFiles(folder, "*" + KeySuffix).Any();
        }
        catch (DirectoryNotFoundException)
        {
            return false;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return true; // something that reading it reports
        }
    }

    /// <summary>Reads every key.</summary>
    /// <exception cref="ProblemException">Files are no usable keys, or others may read them; every problem.</exception>
    public IReadOnlyList<SigningKey> Read() => [.. ReadFiles().Select(static entry => entry.Key)];

    /// <summary>Changes the keys under the lock; makes the folder where it is missing.</summary>
    /// <inheritdoc cref="ISigningKeyStore.ChangeAsync"/>
    public KeyChange Change(Func<IReadOnlyList<SigningKey>, KeyChange> decide)
    {
        try
        {
            DurableFolder.Create(_folder, OwnerOnly);
            using var held = Lock();
            var entries = ReadFiles();
            var change = decide([.. entries.Select(static entry => entry.Key)]);
            if (change.Added is { } added)
            {
                var text = SigningKeyText.Write(added, password: null);
                AtomicFile.ReplaceInFolder(FileOf(added), Encoding.ASCII.GetBytes(text), OwnerReads);
            }

            // Added before any is removed: at no moment is there none.
            foreach (var (path, key) in entries)
            {
                if (change.Removed.Any(removed => removed.Id == key.Id))
                {
                    File.Delete(path);
                }
            }

            if (change.Removed.Count > 0)
            {
                DurableFolder.Sync(_folder); // a retired key must not return after a power cut
            }

            return change;
        }
        catch (UnauthorizedAccessException)
        {
            throw new ProblemException(NotWritable(_folder));
        }
        catch (IOException exception)
        {
            throw new ProblemException(new Problem(
                _folder, "the signing keys cannot be changed", exception.Message,
                "Make sure that the disk has free space and is not mounted read-only."));
        }
    }

    /// <summary>Makes sure that there is a key to sign with. A folder that has one is only read.</summary>
    /// <returns>The key that was made, if one was.</returns>
    /// <exception cref="ProblemException">A file cannot be used, or the folder cannot be written.</exception>
    public SigningKey? EnsureKey() => Directory.Exists(_folder) && _schedule.First(Read()).IsNone
        ? null
        : Change(_schedule.First).Added; // looks again: another replica may have been quicker

    /// <summary>Writes the certificates and the JWK Set for registries where they are not those of the keys.</summary>
    /// <exception cref="ProblemException">They cannot be written.</exception>
    public void UpdateDerivedFiles()
    {
        if (_derived.AreCurrent(_schedule.Usable(Read())))
        {
            return;
        }

        try
        {
            using var held = Lock();
            _derived.Write(_schedule.Usable(Read()));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ProblemException(new Problem(
                _folder, "bundle.crt and jwks.json cannot be written", exception.Message,
                "Export them to another folder for the registries: gateway keys export DIR."));
        }
    }

    /// <summary>What a start would fail with. Creates nothing.</summary>
    public IReadOnlyList<Problem> Check()
    {
        try
        {
            if (Directory.Exists(_folder) && _schedule.First(Read()).IsNone)
            {
                return [];
            }

            var existing = _folder;
            while (!Directory.Exists(existing) && !File.Exists(existing))
            {
                existing = Path.GetDirectoryName(existing) ?? "/";
            }

            return File.Exists(existing) ? [IsAFile(existing)] : IsWritable(existing) ? [] : [NotWritable(existing)];
        }
        catch (ProblemException exception)
        {
            return exception.Problems;
        }
    }

    public Task<IReadOnlyList<SigningKey>> ReadAsync(CancellationToken cancellationToken) => Task.FromResult(Read());

    public Task<KeyChange> ChangeAsync(
        Func<IReadOnlyList<SigningKey>, KeyChange> decide, CancellationToken cancellationToken)
    {
        var change = Change(decide);
        UpdateDerivedFiles();
        return Task.FromResult(change);
    }

    private static Problem NotWritable(string folder) => new(
        folder, "no permission to write signing keys here", null,
        $"Give the gateway's user (\"{Environment.UserName}\") write permission, or set tokens.keys.folder "
                        + "to another one.");

    private static Problem IsAFile(string path) => new(
        path, "this is a file, not a folder", null, "Set tokens.keys.folder to the folder of the signing keys.");

    private static bool IsWritable(string folder) => Access(-100, folder, 0b011, 0x200) == 0;

    // faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS)
    [LibraryImport("libc", EntryPoint = "faccessat", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Access(int directory, string path, int mode, int flags);

    private string FileOf(SigningKey key) => Path.Combine(
        _folder,
        string.Create(
            CultureInfo.InvariantCulture,
            $"{key.ActiveFrom.UtcDateTime:yyyyMMdd'T'HHmmss'Z'}-{key.Id[..9].Replace(':', '-')}{KeySuffix}"));

    private FileStream Lock()
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = FileShare.None, // flock(2), exclusive
            UnixCreateMode = OwnerReads,
        };
        var path = Path.Combine(_folder, ".lock");
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                return new FileStream(path, options);
            }
            catch (IOException exception) when (
                exception.HResult == WouldBlock && TimeProvider.System.GetElapsedTime(started) < LongestWait)
            {
                // Held for milliseconds, at a start or a rotation; .NET offers no waiting lock.
                Thread.Sleep(BetweenAttempts);
            }
        }
    }

    private List<(string Path, SigningKey Key)> ReadFiles()
    {
        var problems = new List<Problem>();
        var entries = new List<(string Path, SigningKey Key)>();
        foreach (var path in KeyFiles(problems))
        {
            try
            {
                if (ReadFile(path) is not { } key)
                {
                    continue;
                }

                if (entries.Find(other => other.Key.Id == key.Id).Path is { } twin)
                {
                    problems.Add(new Problem(
                        path, "this is the same key as in another file", twin, "Remove one of the two."));
                }

                entries.Add((path, key));
            }
            catch (ProblemException exception)
            {
                problems.AddRange(exception.Problems);
            }
        }

        return problems.Count > 0 ? throw new ProblemException(problems) : entries;
    }

    private List<string> KeyFiles(List<Problem> problems)
    {
        var files = new List<string>();
        try
        {
            CheckFolder(problems);
            foreach (var path in Directory.EnumerateFiles(_folder).Order(StringComparer.Ordinal))
            {
                var name = Path.GetFileName(path);
                if (name.EndsWith(KeySuffix, StringComparison.Ordinal) && name[0] != '.')
                {
                    files.Add(path);
                }
                else if (name[0] != '.' && !DerivedKeyFiles.Names.Contains(name))
                {
                    // A key that is silently not read may be the one that somebody relies on.
                    problems.Add(new Problem(
                        path, "only files named *.pem are read as signing keys", null,
                        "Rename it if it is one, or move it out of the folder."));
                }
            }
        }
        catch (DirectoryNotFoundException)
        {
            problems.Add(File.Exists(_folder)
                ? IsAFile(_folder)
                : new Problem(
                    _folder, "the folder of signing keys does not exist", null,
                    "Restore it, or start the gateway, which creates it."));
        }
        catch (UnauthorizedAccessException)
        {
            problems.Add(new Problem(
                _folder, "no permission to read the folder of signing keys", null,
                $"Make the gateway's user (\"{Environment.UserName}\") its owner: chown."));
        }
        catch (IOException exception)
        {
            problems.Add(File.Exists(_folder)
                ? IsAFile(_folder)
                : new Problem(
                    _folder, "the folder of signing keys cannot be read", exception.Message,
                    "Check the disk or mount."));
        }

        return files;
    }

    // Who can put a file here can sign tokens. The sticky bit is how Kubernetes mounts secrets, read-only.
    private void CheckFolder(List<Problem> problems)
    {
        const UnixFileMode bits = UnixFileMode.OtherWrite | UnixFileMode.StickyBit;
        var mode = new DirectoryInfo(_folder).UnixFileMode;
        if (Directory.Exists(_folder) && (mode & bits) == UnixFileMode.OtherWrite)
        {
            problems.Add(new Problem(
                _folder, "every user of this machine can put signing keys here", Octal(mode),
                    $"Run chmod 700 {_folder}."));
        }
    }

    private static SigningKey? ReadFile(string path)
    {
        UnixFileMode mode;
        DateTime written;
        try
        {
            // The link's target, where it is one.
            using var file = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
            mode = File.GetUnixFileMode(file);
            written = File.GetLastWriteTimeUtc(file);
        }
        catch (FileNotFoundException)
        {
            return null; // removed a moment ago, by a replica
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ProblemException(new Problem(
                path, "the signing key cannot be read", exception.Message,
                $"Make it readable for the gateway's user (\"{Environment.UserName}\") only: chown, chmod 600."));
        }

        if ((mode & Others) != 0)
        {
            throw new ProblemException(new Problem(
                path, "every user of this machine can read the signing key, and sign tokens with it", Octal(mode),
                $"Run chmod 600 {path}; if others may have read the key, rotate and retire it."));
        }

        var text = SettingFile.TryRead(path, LargestFile, out var fault);
        if (text is null)
        {
            return !File.Exists(path)
                ? null // another process removed it since the folder was read
                : throw new ProblemException(new Problem(
                    path, $"the signing key {fault}", null, "Put the key there as PKCS#8 PEM, or move the file away."));
        }

        // A key that an operator put there: made known from the time of its file on, and signing after that.
        var activeFrom = SigningKeyText.Truncate(new DateTimeOffset(written)) + SigningKeySchedule.PublicationDelay;
        return SigningKeyText.Read(path, text, password: null, activeFrom);
    }

    private static string Octal(UnixFileMode mode) => Convert.ToString((int)mode & 0xFFF, 8).PadLeft(4, '0');
}
