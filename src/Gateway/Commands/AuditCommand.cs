using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Gateway.Client.Commands;
using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Records.Audit;

namespace Gateway.Commands;

/// <summary><c>gateway audit tail|search|verify</c>: reads the audit trail.</summary>
internal static class AuditCommand
{
    private const int Broken = 1;
    private static readonly TimeSpan FollowInterval = TimeSpan.FromMilliseconds(200);

    private static readonly Option<FileInfo> Config = ConfigOption.Create();

    private static readonly Argument<string?> FileArgument = new("FILE")
    {
        Description = "The current file; the finished files next to it are read too. Default: the file that "
            + "the configuration names.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Argument<string[]> FilesArgument = new("FILE")
    {
        Description = "The current file (the finished files next to it are verified first), or several files, the "
            + "oldest first. Default: the file that the configuration names.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private static readonly Option<bool> Json = new("--json") { Description = "Prints the lines unchanged, as JSON." };

    private static readonly Option<int> Count = new("--lines", "-n")
    {
        Description = "How many of the last lines to print first.",
        DefaultValueFactory = static _ => 20,
    };

    private static readonly Option<bool> Follow = new("--follow", "-f")
    {
        Description = "Keeps printing new lines until it is stopped.",
    };

    private static readonly Option<int?> Limit = new("--limit") { Description = "Prints at most this many lines." };

    private static readonly Option<FileInfo?> KeyFile = new("--key-file")
    {
        Description = "The file with the key for the hashes. Default: the file that the configuration names.",
    };

    private static readonly Option<string?> Expect = new("--expect")
    {
        Description = "NUMBER:HASH, as printed by an earlier run: that line must still exist.",
    };

    public static Command Create() => new("audit", "Reads the audit trail: who did what, and by which rule.")
    {
        Subcommand(
            "tail", "Prints the last lines and, with -f, new lines as they are written.", TailAsync,
            [FileArgument, Count, Follow, .. AuditFilterOptions.All, Json]),
        Subcommand(
            "search", "Searches for lines and prints them, the oldest first.",
            SearchAsync, [FileArgument, .. AuditFilterOptions.All, Limit, Json]),
        Subcommand(
            "verify",
            "Finds lines that were changed, removed, added or reordered: exit code 0 if there are none, 1 if "
                + "there are.",
            VerifyAsync,
            [FilesArgument, KeyFile, Expect]),
    };

    private static Command Subcommand(
        string name, string description, Func<ParseResult, CancellationToken, Task<int>> action, Symbol[] symbols)
    {
        var command = new Command(name, description) { Config }.With(symbols);
        command.SetAction(async (result, cancellationToken) =>
        {
            try
            {
                return await action(result, cancellationToken);
            }
            catch (ProblemException exception)
            {
                return ProblemReport.Write(result.InvocationConfiguration.Error, exception.Problems);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                result.InvocationConfiguration.Error.WriteLine($"The audit trail cannot be read: {exception.Message}");
                return Broken;
            }
        });
        return command;
    }

    private static async Task<int> TailAsync(ParseResult result, CancellationToken cancellationToken)
    {
        var path = PathOf(result, result.GetValue(FileArgument));
        var filter = AuditFilterOptions.Read(result, TimeProvider.System.GetUtcNow());
        using var follower = result.GetValue(Follow) ? new AuditFollower(path) : null;
        var shown = new Queue<(JsonElement Line, string Text)>();
        var finished = AuditFileSet.Finished(path).TakeLast(1);

        // With --follow one reader gives the existing lines as well: no line is printed twice, and none is left out.
        foreach (var found in follower is null
            ? AuditSearch.Find([.. finished, path], filter)
            : AuditSearch.Find([.. finished], filter).Concat(Matching(follower.ReadNew(), filter)))
        {
            shown.Enqueue(found);
            if (shown.Count > Math.Max(0, result.GetValue(Count)))
            {
                shown.Dequeue();
            }
        }

        Print(result, shown, isFirst: true);
        while (follower is not null)
        {
            try
            {
                await Task.Delay(FollowInterval, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                break;
            }

            Print(result, Matching(follower.ReadNew(), filter), isFirst: false);
        }

        return 0;
    }

    private static Task<int> SearchAsync(ParseResult result, CancellationToken cancellationToken)
    {
        var path = PathOf(result, result.GetValue(FileArgument));
        var filter = AuditFilterOptions.Read(result, TimeProvider.System.GetUtcNow());
        IReadOnlyList<string> files = [.. AuditFileSet.Finished(path), path];
        Print(result, AuditSearch.Find(files, filter).Take(result.GetValue(Limit) ?? int.MaxValue), isFirst: true);
        return Task.FromResult(0);
    }

    private static Task<int> VerifyAsync(ParseResult result, CancellationToken cancellationToken)
    {
        var output = result.InvocationConfiguration.Output;
        var given = result.GetValue(FilesArgument) ?? [];
        var files = given.Length > 1 ? given : Together(PathOf(result, given.FirstOrDefault()));
        var verifier = new AuditVerifier(new HashChain(KeyOf(result, given.Length > 0)))
        {
            Expected = ExpectedOf(result),
        };
        verifier.Verify(files);
        foreach (var line in verifier.Notes.Select(static note => "note: " + note).Concat(verifier.Findings))
        {
            output.WriteLine(AuditText.Printable(line));
        }

        if (verifier.Position is { } position && verifier.FirstSequence is { } first)
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{verifier.Lines} lines verified, from number {first}, in {files.Length} file"
                    + $"{(files.Length == 1 ? "" : "s")}. The chain ends at {position}"));
        }

        if (verifier.Findings.Count > 0)
        {
            output.WriteLine("The audit trail was changed or is incomplete.");
            return Task.FromResult(Broken);
        }

        if (verifier.Position is null)
        {
            output.WriteLine("These files have no hash chain, so nothing can be verified.");
            return Task.FromResult(Broken);
        }

        return Task.FromResult(0);
    }

    private static string[] Together(string path) => AuditFileSet.IsFinishedName(path)
        ? [path]
        : [.. AuditFileSet.Finished(path), path];

    private static IEnumerable<(JsonElement Line, string Text)> Matching(IEnumerable<byte[]> lines, AuditFilter filter)
    {
        foreach (var bytes in lines)
        {
            if (AuditSearch.Parse(bytes) is { } line && !AuditSearch.IsBegin(line) && filter.Fits(line))
            {
                yield return (line, Encoding.UTF8.GetString(bytes));
            }
        }
    }

    private static void Print(ParseResult result, IEnumerable<(JsonElement Line, string Text)> lines, bool isFirst)
    {
        var output = result.InvocationConfiguration.Output;
        foreach (var (line, text) in lines)
        {
            if (result.GetValue(Json))
            {
                output.WriteLine(text);
                continue;
            }

            if (isFirst)
            {
                output.WriteLine(AuditRow.Head);
                isFirst = false;
            }

            output.WriteLine(AuditRow.Format(line));
        }

        output.Flush();
    }

    private static string PathOf(ParseResult result, string? given)
    {
        var path = given is not null
            ? Path.GetFullPath(given)
            : ConfigOption.Load(result.GetRequiredValue(Config)).AuditFilePath()
                ?? throw new ProblemException(new Problem(
                    result.GetRequiredValue(Config).FullName, "audit: the audit trail is not written to a file", null,
                    "Set audit.file.path, or name a file."));
        path = AuditFileSet.Resolve(path);
        return File.Exists(path) ? path : throw new ProblemException(new Problem(
            path, "no such audit file", null, "Name the current file; the gateway creates it when it starts."));
    }

    private static string? KeyOf(ParseResult result, bool isGiven)
    {
        if (result.GetValue(KeyFile) is { } file)
        {
            return SecretFile.TryRead(file.FullName, out var fault)
                ?? throw new ProblemException(
                    new Problem("--key-file", fault.Text, file.FullName, "Name the file with the key."));
        }

        return isGiven ? null : ConfigOption.Load(result.GetRequiredValue(Config)).Audit.File.HashKey;
    }

    private static ChainPosition? ExpectedOf(ParseResult result)
    {
        if (result.GetValue(Expect) is not { } text)
        {
            return null;
        }

        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && HashChain.IsHash(text[(colon + 1)..])
            && long.TryParse(text.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? new ChainPosition(number, text[(colon + 1)..])
                : throw new ProblemException(new Problem(
                    "--expect", "this is not NUMBER:HASH", text,
                    "Copy it from the output of an earlier \"gateway audit verify\"."));
    }
}
