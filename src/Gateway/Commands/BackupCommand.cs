using System.CommandLine;
using System.Globalization;
using Gateway.Backup;
using Gateway.Client.Commands;
using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Requests.Pipeline;

namespace Gateway.Commands;

/// <summary><c>gateway backup FILE</c> and <c>gateway restore FILE --to FOLDER</c>.</summary>
internal static class BackupCommand
{
    private const int NothingDone = 1;
    private const int ShortestPassphrase = 12;
    private const string Overrides = "GATEWAY__";

    private static readonly Argument<FileInfo> Archive = new("FILE") { Description = "The backup file." };

    private static readonly Option<FileInfo> Config = ConfigOption.Create();

    private static readonly Option<FileInfo?> PassphraseFile = new("--passphrase-file")
    {
        Description = "A file with the passphrase that encrypts the backup; one line break at its end is ignored.",
    };

    private static readonly Option<bool> Passphrase = new("--passphrase")
    {
        Description = "Asks for the passphrase on the terminal.",
    };

    private static readonly Option<bool> ForceBackup = new("--force") { Description = "Replaces an existing file." };

    private static readonly Option<DirectoryInfo> To = new("--to")
    {
        Description = "The folder to restore to; it becomes the configuration's folder.",
        Required = true,
    };

    private static readonly Option<string?> Name = new("--config", "-c")
    {
        Description = "The configuration file's name in the folder. Default: its name in the backup.",
    };

    private static readonly Option<bool> Absolute = new("--absolute")
    {
        Description = "Also restores files outside the configuration's folder, to their absolute paths.",
    };

    private static readonly Option<bool> DryRun = new("--dry-run")
    {
        Description = "Verifies the backup and prints what would be done, without changing anything.",
    };

    private static readonly Option<bool> ForceRestore = new("--force")
    {
        Description = "Moves existing files aside, to …before-restore-TIME, instead of refusing.",
    };

    public static Command CreateBackup()
    {
        var command = new Command(
            "backup",
            "Writes a gateway's configuration, keys, secrets and tokens to one file. The gateway may keep running.")
        {
            Archive, Config, PassphraseFile, Passphrase, ForceBackup,
        };
        command.SetAction(
            (result, cancellationToken) => GuardAsync(result, () => BackupAsync(result, cancellationToken)));
        return command;
    }

    public static Command CreateRestore()
    {
        var command = new Command(
            "restore", "Verifies a backup and restores all of it or nothing. The gateway must be stopped.")
        {
            Archive, To, Name, Absolute, DryRun, PassphraseFile, Passphrase, ForceRestore,
        };
        command.SetAction(
            (result, cancellationToken) => GuardAsync(result, () => RestoreAsync(result, cancellationToken)));
        return command;
    }

    private static async Task<int> GuardAsync(ParseResult result, Func<Task> action)
    {
        var error = result.InvocationConfiguration.Error;
        try
        {
            await action();
            return 0;
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
        catch (OperationCanceledException)
        {
            await error.WriteLineAsync("Interrupted: nothing was changed.");
            return NothingDone;
        }
    }

    private static async Task BackupAsync(ParseResult result, CancellationToken cancellationToken)
    {
        var (output, error) = (result.InvocationConfiguration.Output, result.InvocationConfiguration.Error);
        var file = result.GetRequiredValue(Archive).FullName;
        var options = ConfigOption.Load(result.GetRequiredValue(Config));
        StoreOwner.Ensure(options, error.WriteLine);
        var passphrase = PassphraseOf(result, isNew: true);
        using var audit = options.BeginAudit("backup", file, TimeProvider.System, error.WriteLine);
        WarnOfVariables(error,
            "They are not in the backup: store them yourself, and set them again for the restored gateway.");
        var report = await new BackupJob(options, TimeProvider.System)
            .RunAsync(file, passphrase, result.GetValue(ForceBackup), cancellationToken);
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"Wrote {file}: {report.Files} files{(RedisBackup.IsNeeded(options) ? " and the data in Redis" : "")}, "
                + $"{report.Size} bytes, {(passphrase is null ? "not encrypted" : "encrypted")}."));
        if (report.Outside.Count > 0)
        {
            await error.WriteLineAsync(
                "Outside the configuration's folder, so restored only with --absolute: "
                    + $"{string.Join(", ", report.Outside)}");
        }

        if (passphrase is null)
        {
            await error.WriteLineAsync(
                "The backup is not encrypted and holds secrets: signing keys, passwords, private keys. Protect it as "
                    + "you protect them, or give --passphrase-file FILE.");
        }
    }

    private static async Task RestoreAsync(ParseResult result, CancellationToken cancellationToken)
    {
        var (output, error) = (result.InvocationConfiguration.Output, result.InvocationConfiguration.Error);
        WarnOfVariables(error, "They also apply to the restored configuration.");
        var order = new RestoreOrder
        {
            Archive = result.GetRequiredValue(Archive).FullName,
            Target = result.GetRequiredValue(To).FullName,
            Passphrase = PassphraseOf(result, isNew: false),
            ConfigurationName = result.GetValue(Name),
            AllowAbsolute = result.GetValue(Absolute),
            IsDryRun = result.GetValue(DryRun),
            MayReplace = result.GetValue(ForceRestore),
        };
        var job = new RestoreJob(
            order, TimeProvider.System, ProcessEnvironment.Read(), output.WriteLine);
        await job.RunAsync(cancellationToken);
    }

    private static string? PassphraseOf(ParseResult result, bool isNew)
    {
        var (file, asks) = (result.GetValue(PassphraseFile), result.GetValue(Passphrase));
        if (file is null && !asks)
        {
            return null;
        }

        if (file is not null && asks)
        {
            throw new ProblemException(new Problem(
                "--passphrase", "cannot be combined with --passphrase-file", null, "Give only one of the two."));
        }

        if (asks && Console.IsInputRedirected)
        {
            throw new ProblemException(new Problem(
                "--passphrase", "standard input is not a terminal", null, "Give --passphrase-file FILE."));
        }

        var fault = FileFault.None;
        var passphrase = file is null
            ? PasswordPrompt.Read(result.InvocationConfiguration.Error, "the backup", isNew)
            : SecretFile.TryRead(file.FullName, out fault) ?? throw new ProblemException(new Problem(
                "--passphrase-file", fault.Text, file.FullName,
                "Name a file that holds the passphrase and that this account can read."));

        // Anyone who gets the file can guess for as long as they like.
        return isNew && passphrase.Length < ShortestPassphrase
            ? throw new ProblemException(new Problem(
                "passphrase",
                string.Create(CultureInfo.InvariantCulture, $"is shorter than {ShortestPassphrase} characters"), null,
                "Generate one: openssl rand -base64 32."))
            : passphrase;
    }

    private static void WarnOfVariables(TextWriter error, string what)
    {
        var names = ProcessEnvironment.Read().Keys
            .Where(static name => name.StartsWith(Overrides, StringComparison.OrdinalIgnoreCase))
            .Order(StringComparer.Ordinal).ToList();
        if (names.Count > 0)
        {
            error.WriteLine(
                $"These environment variables change the configuration: {string.Join(", ", names)}. {what}");
        }
    }
}
