#pragma warning disable CA1416 // the gateway runs on Linux
using System.Text.Json;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Files;

namespace Gateway.Server.Store.State;

/// <summary>
/// <c>blocked.json</c> in the state folder: the blocks that this machine knows of, beside the store. So they outlast a
/// store that was lost, or replaced by an older one.
/// </summary>
/// <remarks>
/// It may be written by the gateway and by commands at once: each adds what it knows, under the folder's lock.
/// </remarks>
internal sealed class BlockFile(string folder)
{
    /// <summary>Its name in the state folder.</summary>
    public const string FileName = "blocked.json";

    private const int CurrentVersion = 1;
    private const int Largest = 16 * 1024 * 1024;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Where it is.</summary>
    public string Path { get; } = System.IO.Path.Combine(folder, FileName);

    /// <summary>What it says; <see langword="null"/> where there is none.</summary>
    /// <exception cref="ProblemException">
    /// It cannot be read or understood: the blocked subjects are not known.
    /// </exception>
    public SubjectBlocks? Read() => Read(Path);

    /// <summary>What a file says; <see langword="null"/> where there is none.</summary>
    /// <exception cref="ProblemException">It cannot be read or understood.</exception>
    public static SubjectBlocks? Read(string path)
    {
        if (!File.Exists(path) && !Directory.Exists(path))
        {
            return null; // also where it cannot be seen: then the folder's own check says so
        }

        return Parse(path, SettingFile.TryRead(path, Largest, out var fault) ?? throw Unreadable(path, fault.Text));
    }

    /// <summary>What a file's content says.</summary>
    /// <exception cref="ProblemException">It cannot be understood.</exception>
    public static SubjectBlocks Parse(string path, ReadOnlySpan<char> text)
    {
        try
        {
            var document = JsonSerializer.Deserialize(text, SubjectBlockJsonContext.Default.BlockFileDocument)
                ?? throw new FormatException("it is null");
            return document.Version == CurrentVersion && !document.Blocks.Contains(null!)
                ? SubjectBlocks.None.With(document.Blocks)
                : throw new FormatException($"its version is {document.Version}, or a block is missing");
        }
        catch (Exception exception) when (exception is JsonException or FormatException)
        {
            throw Unreadable(path, exception.Message);
        }
    }

    /// <summary>A file's content.</summary>
    public static byte[] Write(SubjectBlocks blocks) => [
        .. JsonSerializer.SerializeToUtf8Bytes(
            new BlockFileDocument(CurrentVersion, blocks.All), SubjectBlockJsonContext.Default.BlockFileDocument),
        (byte)'\n',
    ];

    /// <summary>Adds what is known to what the file says. What it says after this call is on the disk.</summary>
    /// <param name="known">What is known.</param>
    /// <param name="patience">
    /// How long to wait while somebody else holds the folder's lock; as long as it takes unless given.
    /// </param>
    /// <returns>All of it.</returns>
    /// <exception cref="ProblemException">It cannot be written, or what is there is not understood.</exception>
    public SubjectBlocks Merge(SubjectBlocks known, TimeSpan? patience = null)
    {
        var (merged, isWritten) = (known, false);
        MakeFolder();
        AtomicFile.Edit(
            Path,
            // its content is read below, with words for what is wrong with it
            static path => File.Exists(path) ? [] : null,
            content =>
            {
                var found = content is null ? null : Read();
                merged = (found ?? SubjectBlocks.None).With(known.All);
                isWritten = found is null || !ReferenceEquals(merged, found);
                return isWritten ? Write(merged) : null;
            },
            OwnerOnly,
            patience);
        if (isWritten)
        {
            FileOwner.TakeFromFolder(Path, System.IO.Path.GetDirectoryName(Path)!); // a command may run as root
        }

        return merged;
    }

    // With tokens in Redis nothing else may need it.
    private void MakeFolder()
    {
        try
        {
            DurableFolder.Create(folder, OwnerOnly | UnixFileMode.UserExecute);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ProblemException(new Problem(
                Path, "its folder cannot be created", exception.Message,
                    "Set state.folder to a folder that the gateway's user can write."));
        }
    }

    private static ProblemException Unreadable(string path, string fault) => new(new Problem(
        path, "the list of blocked subjects cannot be read", fault.TrimEnd('.'),
        $"Make it readable for the gateway's user, or restore {FileName} from a backup. "
        + "Without it, only the store knows the blocks: check them with \"gateway user blocked\"."));
}
