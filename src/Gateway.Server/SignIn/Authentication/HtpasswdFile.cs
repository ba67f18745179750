using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>The users of an htpasswd file: an immutable snapshot of a file that was right from end to end.</summary>
internal sealed class HtpasswdFile
{
    /// <summary>The largest file read, in bytes: some 200,000 users.</summary>
    public const int MaxSize = 16 * 1024 * 1024;

    /// <summary>No users, where no file is configured.</summary>
    public static readonly HtpasswdFile None = new([], WorkDefault(new HtpasswdOptions()));

    private const int MostProblems = 100;
    private const int DefaultCost = 10;

    private readonly FrozenDictionary<string, PasswordHash> _users;
    private readonly FailureWork _failureWork;

    private HtpasswdFile(Dictionary<string, PasswordHash> users, WorkItem fallback)
    {
        _users = users.ToFrozenDictionary(StringComparer.Ordinal);
        _failureWork = new FailureWork(_users.Values, fallback);
    }

    /// <summary>Whether the last line has no line break, as where the file was cut off.</summary>
    public bool HasOpenLine { get; private init; }

    /// <summary>How many users there are.</summary>
    public int Count => _users.Count;

    /// <summary>The users' names.</summary>
    public IEnumerable<string> Names => _users.Keys;

    /// <summary>The hash of a user's password, or <see langword="null"/> for an unknown name.</summary>
    public PasswordHash? Find(string userName) => _users.GetValueOrDefault(userName);

    /// <summary>
    /// What a failed sign-in has to hash besides <paramref name="hash"/>; see <see cref="FailureWork"/>.
    /// </summary>
    public IReadOnlyList<WorkItem> FailureWorkFor(PasswordHash? hash) => _failureWork.For(hash);

    /// <summary>Reads a file.</summary>
    /// <exception cref="ProblemException">It cannot be read, or a line in it cannot be used.</exception>
    public static HtpasswdFile Load(HtpasswdOptions options)
    {
        var content = ReadContent(options.File) ?? throw new ProblemException(NoSuchFile(options.File));
        return Parse(options.File, content, options);
    }

    /// <summary>Reads a file's content.</summary>
    /// <param name="path">The file's name, for messages.</param>
    /// <param name="content">Lines of <c>name:hash</c>, comments behind <c>#</c>, and empty lines.</param>
    /// <param name="options">Which schemes and costs are accepted.</param>
    /// <exception cref="ProblemException">A line cannot be used. One problem for each such line.</exception>
    public static HtpasswdFile Parse(string path, ReadOnlySpan<byte> content, HtpasswdOptions options)
    {
        var users = new Dictionary<string, PasswordHash>(StringComparer.Ordinal);
        var problems = new List<Problem>();
        var lines = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var entry in ReadLines(path, content))
        {
            if (entry.Name is not null && !lines.TryAdd(entry.Name, entry.Line))
            {
                problems.Add(new Problem(
                    $"{path}:{entry.Line}",
                    $"the user is already in line {lines[entry.Name]}",
                    entry.Name,
                    "Remove one of the two.")
                {
                    Kind = ProblemKind.Duplicate,
                });
            }
            else if ((entry.Problem ?? Judge(path, entry, options)) is { } problem)
            {
                problems.Add(problem);
            }
            else
            {
                users.Add(entry.Name!, entry.Hash!);
            }
        }

        if (problems.Count > MostProblems)
        {
            var more = problems.Count - MostProblems;
            problems.RemoveRange(MostProblems, more);
            problems.Add(new Problem(
                path, $"{more} more lines cannot be used", null,
                    "Fix those above first, and check that this is an htpasswd file."));
        }

        return problems.Count > 0
            ? throw new ProblemException(problems)
            : new HtpasswdFile(users, WorkDefault(options)) { HasOpenLine = content is [.., not (byte)'\n'] };
    }

    /// <summary>Reads every line that names a user, or should, without judging costs.</summary>
    public static List<HtpasswdEntry> ReadLines(string path, ReadOnlySpan<byte> content)
    {
        var entries = new List<HtpasswdEntry>();
        if (content.StartsWith("\uFEFF"u8))
        {
            content = content[3..];
            entries.Add(new HtpasswdEntry(1, null, null, new Problem(
                $"{path}:1", "the file begins with a byte order mark", null, "Save it as UTF-8 without one.")));
        }

        for (var number = 1; !content.IsEmpty; number++)
        {
            var line = NextLine(ref content).TrimEnd("\r\n"u8);
            var trimmed = line.Trim(" \t"u8);
            if (!trimmed.IsEmpty && trimmed[0] != '#')
            {
                entries.Add(ReadLine(path, number, line));
            }
            else if (!Utf8.IsValid(line))
            {
                entries.Add(new HtpasswdEntry(number, null, null, NotUtf8(path, number)));
            }
        }

        return entries;
    }

    /// <summary>Takes the next line, with its line break, off the content.</summary>
    public static ReadOnlySpan<byte> NextLine(ref ReadOnlySpan<byte> content)
    {
        var length = content.IndexOf((byte)'\n') is var end and >= 0 ? end + 1 : content.Length;
        var line = content[..length];
        content = content[length..];
        return line;
    }

    /// <summary>Reads a file's bytes, or <see langword="null"/> where there is no file.</summary>
    /// <exception cref="ProblemException">It is a folder, too large, or cannot be read.</exception>
    public static byte[]? ReadContent(string path)
    {
        try
        {
            using var file = new FileStream(
                path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1);
            var content = new MemoryStream();
            var buffer = new byte[64 * 1024];
            int count;
            while ((count = file.Read(buffer)) > 0) // the length at hand may be wrong by now, or, for a device, endless
            {
                if (content.Length + count > MaxSize)
                {
                    throw new ProblemException(new Problem(
                        path,
                        $"the file is larger than {MaxSize / 1024 / 1024} MiB",
                        null,
                        "Check that this is an htpasswd file."));
                }

                content.Write(buffer, 0, count);
            }

            return content.ToArray();
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (UnauthorizedAccessException)
        {
            throw new ProblemException(Directory.Exists(path)
                ? new Problem(path, "this is a folder", null, "Name the htpasswd file in it.")
                {
                    Kind = ProblemKind.FileUnavailable,
                }
                : new Problem(
                    path, "no permission to read the file", null, "Let the gateway's group read it: chgrp, chmod 640.")
                {
                    Kind = ProblemKind.FileUnavailable,
                });
        }
        catch (IOException exception)
        {
            throw new ProblemException(new Problem(
                path, "the file cannot be read", exception.Message, "Check that its disk is mounted and works."));
        }
    }

    /// <summary>What to say where there is no file.</summary>
    public static Problem NoSuchFile(string path) => new(
        path,
        "no such htpasswd file",
        null,
        "Correct the path, or create the file with its first user: gateway user add --file "
        + $"{ShellWord.Of(path)} alice.")
    {
        Kind = ProblemKind.FileUnavailable,
    };

    private static HtpasswdEntry ReadLine(string path, int number, ReadOnlySpan<byte> line)
    {
        var source = $"{path}:{number}";
        if (!Utf8.IsValid(line))
        {
            return new HtpasswdEntry(number, null, null, NotUtf8(path, number));
        }

        var colon = line.IndexOf((byte)':');
        if (colon < 0)
        {
            // Not shown: it may be a password that slipped in here.
            return new HtpasswdEntry(number, null, null, new Problem(
                source, "a line without \":\"", null, "Write name:hash, or # before a comment."));
        }

        var name = Encoding.UTF8.GetString(line[..colon]);
        if (UserName.IndexOfFault(name) is var fault and >= 0)
        {
            return new HtpasswdEntry(number, null, null, new Problem(
                source,
                name.Length == 0 ? "no user name before the \":\""
                : fault == UserName.MaxLength ? "the user name is too long"
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $"the user name holds U+{(int)name[fault]:X4} in column {fault + 1}"),
                null,
                UserName.Rule));
        }

        return PasswordHash.TryParse(Encoding.UTF8.GetString(line[(colon + 1)..]), out var hash, out var refusal)
            ? new HtpasswdEntry(number, name, hash, null)
            : new HtpasswdEntry(number, name, null, ToProblem(path, number, name, refusal));
    }

    private static Problem? Judge(string path, HtpasswdEntry entry, HtpasswdOptions options) =>
        entry.Hash!.Check(options) is { } refusal ? ToProblem(path, entry.Line, entry.Name!, refusal) : null;

    private static Problem ToProblem(string path, int number, string name, HashRefusal refusal) => new(
        $"{path}:{number}",
        $"{name}: {refusal.What}",
        refusal.Found,
        refusal.Fix.Replace(
            "{0}",
                "Set the password again: gateway user add --file "
                + $"{ShellWord.Of(path)} {ShellWord.Of(name)}", StringComparison.Ordinal));

    private static Problem NotUtf8(string path, int number) =>
        new($"{path}:{number}", "the line is not UTF-8", null, "Save the file as UTF-8.");

    private static WorkItem WorkDefault(HtpasswdOptions options) =>
        new(HashScheme.Bcrypt, Math.Max(Math.Min(DefaultCost, options.MaximumCost), options.MinimumCost));
}

/// <summary>One line that names a user, or should.</summary>
/// <param name="Line">Its number, from 1.</param>
/// <param name="Name">The user, or <see langword="null"/> where the line does not name one.</param>
/// <param name="Hash">The hash, or <see langword="null"/> where it cannot be used.</param>
/// <param name="Problem">Why name or hash are missing.</param>
internal sealed record HtpasswdEntry(int Line, string? Name, PasswordHash? Hash, Problem? Problem);
