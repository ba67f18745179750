using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Gateway.Client.Commands;
using Gateway.Core.Authorization;
using Gateway.Core.Tokens;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Text;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Records.Audit;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.Store.Identities;
using Gateway.Server.Store.State;
using Gateway.Server.Tokens.Credentials;

namespace Gateway.Commands;

/// <summary>
/// <c>gateway user block|unblock|blocked</c>: refuses a subject of any source, without revoking what it has. Blocks are
/// in the store of the configuration; every gateway of that store applies them within a second.
/// </summary>
internal static class UserBlockCommand
{
    private const int NothingDone = 1;
    private const int LongestReason = 200;

    private static readonly Argument<string> Who = new("SUBJECT")
    {
        Description = "The subject: user:alice, user:corp/alice, robot:ci-deploy; or a name that only one known "
            + "subject has.",
    };

    private static readonly Option<string?> Until = new("--until")
    {
        Description = "When the block expires: 2026-12-24, 2026-12-24T18:00:00Z, or how long from now: 12h, 7d. "
            + "Default: never.",
    };

    private static readonly Option<string?> Reason = new("--reason")
    {
        Description = "The reason, for operators: only \"blocked\" and the audit trail show it.",
    };

    private static readonly Option<bool> All = new("--all")
    {
        Description = "Also lists blocks that were lifted or have expired.",
    };

    private static readonly Option<bool> Json = new("--json") { Description = "Prints JSON." };

    /// <summary>Creates the three commands.</summary>
    /// <param name="file">The <c>--file</c> option of the commands beside them, which has no meaning here.</param>
    /// <param name="config">Their <c>--config</c>.</param>
    public static IEnumerable<Command> Create(Option<FileInfo?> file, Option<FileInfo> config)
    {
        yield return Subcommand(
            "block",
            "Refuses all credentials of a subject (password, certificate, tokens, sessions) until it is unblocked. "
                + "Revokes nothing.",
            BlockAsync, Who, Until, Reason);
        yield return Subcommand(
            "unblock", "Unblocks a subject. Tokens that were revoked stay revoked.", UnblockAsync, Who);
        yield return Subcommand("blocked", "Lists the blocked subjects.", ListAsync, All, Json);

        Command Subcommand(
            string name, string description, Func<Bench, CancellationToken, Task<int>> action, params Symbol[] symbols)
        {
            var command = new Command(name, description).With(symbols);
            command.SetAction((result, cancellationToken) => RunAsync(result, file, config, action, cancellationToken));
            return command;
        }
    }

    private static async Task<int> RunAsync(
        ParseResult result,
        Option<FileInfo?> file,
        Option<FileInfo> config,
        Func<Bench, CancellationToken, Task<int>> action,
        CancellationToken cancellationToken)
    {
        var error = result.InvocationConfiguration.Error;
        try
        {
            if (result.GetValue(file) is not null)
            {
                throw new ProblemException(new Problem(
                    "--file", "blocks are in the configuration's store, not in an htpasswd file", null,
                    "Leave this option out."));
            }

            var options = ConfigOption.Load(result.GetRequiredValue(config));
            StoreOwner.Ensure(options, error.WriteLine);
            await using var stores = options.OpenStores();
            var blockFile = new BlockFile(options.State.Folder);
            var blocks = SubjectBlocks.None.With(
                (await stores.Credentials.ReadBlocksAsync("", cancellationToken)).Blocks!);
            var isFileGood = true;
            try
            {
                blocks = blocks.With(blockFile.Read()?.All ?? []);
            }
            catch (ProblemException exception)
            {
                // That must not prevent a block.
                isFileGood = false;
                ProblemReport.Write(error, exception.Problems);
            }

            return await action(
                new Bench(result, options, stores, blocks, isFileGood ? blockFile : null), cancellationToken);
        }
        catch (ProblemException exception)
        {
            return ProblemReport.Write(error, exception.Problems);
        }
        catch (StateException exception)
        {
            await error.WriteLineAsync(exception.Message);
            return NothingDone;
        }
    }

    private static async Task<int> BlockAsync(Bench bench, CancellationToken cancellationToken)
    {
        var now = TimeProvider.System.GetUtcNow();
        var (until, reason) = (UntilOf(bench.Result, now), ReasonOf(bench.Result));
        if (await bench.FindAsync(cancellationToken) is not { } found)
        {
            return NothingDone;
        }

        var subject = found.Subject.ToString();
        var known = bench.Blocks.Find(subject);
        var block = SubjectBlock.Create(known, subject, now, Environment.UserName) with
        {
            Until = until,
            Reason = reason,
        };
        var exitCode = await bench.KeepAsync(block, "user block", cancellationToken);
        if (known?.IsInForce(now) == true)
        {
            bench.Output.WriteLine(
                $"{subject} was blocked already, {Describe(known)}. The new block replaces that one.");
        }

        bench.Output.WriteLine(
            $"Blocked {subject}{(until is { } end ? $" until {TokenTable.Format(end)}" : "")}: every gateway of this "
            + "store refuses them within a second, with any credential. Nothing was revoked. To unblock: "
            + "gateway user unblock " + ShellWord.Of(subject));
        if (!found.IsKnown)
        {
            bench.Error.WriteLine(
                $"No {subject} is known here; the block is for exactly that name. (A directory's users are known here "
                    + $"once they have a token.) {KnownSubjects.Describe(found.Like)}");
        }

        await TellOfRobotsAsync(bench, subject, now, cancellationToken);
        return exitCode;
    }

    private static async Task<int> UnblockAsync(Bench bench, CancellationToken cancellationToken)
    {
        var now = TimeProvider.System.GetUtcNow();
        var typed = bench.Result.GetRequiredValue(Who);
        var inForce = bench.Blocks.All.Where(block => block.IsInForce(now)).ToList();
        var meant = inForce.Where(block => block.Subject == typed || IsCalled(block.Subject, typed)).ToList();
        if (meant is not [var block])
        {
            bench.Error.WriteLine(
                (meant.Count == 0
                    ? $"{typed} is not blocked{Past(bench.Blocks.All, typed)}"
                    : $"\"{typed}\" may mean several subjects")
                + ", so nothing was changed. " + DescribeList(meant.Count == 0 ? inForce : meant));
            return NothingDone;
        }

        var exitCode = await bench.KeepAsync(block.Lift(now, Environment.UserName), "user unblock", cancellationToken);
        bench.Output.WriteLine(
            $"Unblocked {block.Subject}, which was blocked {Describe(block)}. Tokens that were revoked or have "
                + "expired are still refused.");
        return exitCode;
    }

    private static Task<int> ListAsync(Bench bench, CancellationToken cancellationToken)
    {
        var now = TimeProvider.System.GetUtcNow();
        var shown = bench.Blocks.All.Where(block => bench.Result.GetValue(All) || block.IsInForce(now)).ToList();
        if (bench.Result.GetValue(Json))
        {
            bench.Output.WriteLine(JsonSerializer.Serialize(shown, SubjectBlockJsonContext.Default.ListSubjectBlock));
            return Task.FromResult(0);
        }

        string[] titles = ["SUBJECT", "SINCE", "UNTIL", "BY", "STATE", "REASON"];
        foreach (var line in shown.Count == 0
            ? ["Nobody is blocked."]
            : TextTable.Format([titles, .. shown.Select(Cells)]))
        {
            bench.Output.WriteLine(line);
        }

        return Task.FromResult(0);

        string[] Cells(SubjectBlock block) =>
        [
            PrintableName.Of(block.Subject), TokenTable.Format(block.At),
            block.Until is { } until ? TokenTable.Format(until) : "-", PrintableName.Of(block.By),
            block.LiftedAt is { } lifted
                ? $"lifted {TokenTable.Format(lifted)} by {PrintableName.Of(block.LiftedBy ?? "-")}"
                : block.IsInForce(now) ? "blocked" : "expired",
            block.Reason is { } reason ? PrintableName.Of(reason) : "-",
        ];
    }

    // The creator of a robot token is not checked at its use: it keeps working for everyone who has it.
    private static async Task TellOfRobotsAsync(
        Bench bench, string subject, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var robots = (await bench.Stores.Credentials.ListAsync(null, cancellationToken))
            .Where(static token => token.Kind == CredentialKind.Robot)
            .GroupBy(static token => token.Owner.ToString(), StringComparer.Ordinal)
            .Where(
                tokens => tokens.Any(token => token.CreatedBy == subject)
                    && tokens.Any(token => token.StateAt(now) == TokenState.Active))
            .Select(static tokens => tokens.Key)
            .Where(robot => bench.Blocks.Find(robot)?.IsInForce(now) != true)
            .Order(StringComparer.Ordinal)
            .ToList();
        if (robots.Count > 0)
        {
            bench.Output.WriteLine(
                $"Robots for which {subject} created tokens still work: {string.Join(", ", robots)}. To block one: "
                    + $"gateway user block {ShellWord.Of(robots[0])}; to revoke its tokens: gateway token revoke "
                    + $"--all-of {ShellWord.Of(robots[0])}");
        }
    }

    private static bool IsCalled(string subject, string name)
    {
        var whole = SubjectBlock.KeyOf(subject).Name;
        return whole == name || KnownSubjects.PlainOf(whole) == name;
    }

    private static string Past(IEnumerable<SubjectBlock> blocks, string typed) =>
        blocks.FirstOrDefault(block => block.Subject == typed || IsCalled(block.Subject, typed)) switch
        {
            { LiftedAt: { } lifted } => $" any more, since {TokenTable.Format(lifted)}",
            { Until: { } until } => $" any more: the block expired {TokenTable.Format(until)}",
            _ => "",
        };

    private static string Describe(SubjectBlock block) =>
        $"since {TokenTable.Format(block.At)} by {PrintableName.Of(block.By)}"
        + (block.Until is { } until ? $", until {TokenTable.Format(until)}" : "")
        + (block.Reason is { } reason ? $" (\"{PrintableName.Of(reason)}\")" : "");

    private static string DescribeList(List<SubjectBlock> blocks) =>
        blocks.Count == 0
            ? "Nobody is blocked."
            : KnownSubjects.Describe([.. blocks.Select(static block => block.Subject)]);

    private static DateTimeOffset? UntilOf(ParseResult result, DateTimeOffset now)
    {
        if (result.GetValue(Until) is not { } text)
        {
            return null;
        }

        // "now + duration" may be beyond the calendar.
        var until = Duration.TryParse(text, out var after) && after < TimeSpan.FromDays(36_500) ? now + after
            : text.Length > 0 && char.IsAsciiDigit(text[0]) && DateTimeOffset.TryParse(
                text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
                out var instant)
                ? instant
            : throw new ProblemException(new Problem(
                Until.Name, "this is not a time", text,
                "Write 2026-12-24T18:00:00Z, 2026-12-24, or how long from now: 12h, 7d."));
        return until > now
            ? until
            : throw new ProblemException(new Problem(Until.Name, "this time has passed", text,
                "Give a time in the future."));
    }

    private static string? ReasonOf(ParseResult result) => result.GetValue(Reason) switch
    {
        null or "" => null,
        { Length: <= LongestReason } reason when !reason.Any(char.IsControl) => reason,
        var reason => throw new ProblemException(new Problem(
            "--reason",
            reason.Length > LongestReason ? "is too long" : "holds a line break or another control character",
            null,
            FormattableString.Invariant($"Write one line of at most {LongestReason} characters."))),
    };

    /// <summary>What a command works with.</summary>
    /// <param name="Result">The command line.</param>
    /// <param name="Options">The configuration.</param>
    /// <param name="Stores">The stores, open.</param>
    /// <param name="Blocks">Every block in the store and the file.</param>
    /// <param name="BlockFile">The file; <see langword="null"/> where it cannot be used, which was reported.</param>
    private sealed record Bench(
        ParseResult Result, GatewayOptions Options, CommandStores Stores, SubjectBlocks Blocks, BlockFile? BlockFile)
    {
        public TextWriter Output => Result.InvocationConfiguration.Output;

        public TextWriter Error => Result.InvocationConfiguration.Error;

        /// <summary>
        /// The subject that the argument means; <see langword="null"/> where it may be none or several, which is
        /// reported.
        /// </summary>
        public async Task<(Subject Subject, bool IsKnown, IReadOnlyList<string> Like)?> FindAsync(
            CancellationToken cancellationToken)
        {
            var typed = Result.GetRequiredValue(Who);
            if (typed.Contains(':', StringComparison.Ordinal))
            {
                var subject = CredentialOwner.Parse(typed) ?? throw new ProblemException(new Problem(
                    "SUBJECT", "this is not a subject", typed, "Write user:NAME, robot:NAME or workload:ISSUER/NAME."));
                return (
                    subject,
                    await KnownSubjects.IsKnownAsync(Options, Stores, subject, cancellationToken),
                    await KnownSubjects.FindLikeAsync(Options, Stores, subject.Name, cancellationToken));
            }

            var like = await KnownSubjects.FindLikeAsync(Options, Stores, typed, cancellationToken);

            // A name with its source is complete; one without may be that of a user of any source, in any spelling.
            var meant = typed.Contains(SignInMethods.SourceSeparator, StringComparison.Ordinal)
                ? like.Where(one => one.EndsWith(":" + typed, StringComparison.Ordinal)).ToList()
                : [.. like];
            if (meant is [var only] && IsCalled(only, typed) && CredentialOwner.Parse(only) is { } one)
            {
                return (one, true, like);
            }

            Error.WriteLine(like.Count == 0
                ? $"No subject named \"{typed}\" is known here, so nothing was changed. Write user:{typed} to block "
                    + "exactly that name."
                : $"\"{typed}\" is ambiguous, so nothing was changed. {KnownSubjects.Describe(like)} Write one of "
                    + "these names in full.");
            return null;
        }

        /// <summary>Writes a record into the store and the file, and the audit trail before and after.</summary>
        /// <returns>The exit code.</returns>
        public async Task<int> KeepAsync(SubjectBlock block, string command, CancellationToken cancellationToken)
        {
            using var audit = Options.BeginAudit(command, block.Subject, TimeProvider.System, Error.WriteLine);
            if (!await Stores.Credentials.WriteBlockAsync(block, cancellationToken))
            {
                throw new StateException(
                    $"Another command changed the block of {block.Subject} at the same time, so nothing was changed. "
                        + "Try again.");
            }

            audit.Record(new CredentialEntry(TimeProvider.System.GetUtcNow())
            {
                Action = block.LiftedAt is null ? "block" : "unblock",
                By = "operator",
                Owner = block.Subject,
                Until = block.LiftedAt is null ? block.Until : null,
                Reason = block.LiftedAt is null ? block.Reason : null,
            });
            return IsFiled(Blocks.With([block])) && !audit.HasFailed ? 0 : NothingDone;
        }

        // With tokens in Redis the command may run on a machine without a gateway.
        private bool IsFiled(SubjectBlocks blocks)
        {
            if (Options.State.Store == StateStoreKind.Redis && !Directory.Exists(Options.State.Folder))
            {
                return true;
            }

            try
            {
                BlockFile?.Merge(blocks);
                return BlockFile is not null;
            }
            catch (ProblemException exception)
            {
                ProblemReport.Write(Error, exception.Problems);
                Error.WriteLine(
                    "The change is in the store and in force. A gateway that runs here writes it to that file "
                        + "when it can.");
                return false;
            }
        }
    }
}
