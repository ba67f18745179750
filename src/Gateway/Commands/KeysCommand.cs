using System.CommandLine;
using System.Text.Json;
using Gateway.Backup;
using Gateway.Client.Commands;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Files;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Store.Keys;

namespace Gateway.Commands;

/// <summary><c>gateway keys list|rotate|retire|export|probe</c>: the keys that sign access tokens.</summary>
internal static class KeysCommand
{
    private const int NothingDone = 1;

    private static readonly TimeSpan LongestDelay = TimeSpan.FromDays(30);

    private static readonly JsonWriterOptions Indented = new() { Indented = true, NewLine = "\n" };

    private static readonly Option<FileInfo> Config = CreateConfig();

    private static readonly Option<bool> Json = new("--json") { Description = "Prints JSON." };

    private static readonly Option<bool> Now = new("--now")
    {
        Description = "The new key signs immediately. For half a second, replicas that do not know it yet refuse "
            + "its tokens.",
    };

    private static readonly Option<string?> In = new("--in")
    {
        Description = "How long the new key is published before it signs: 90s to 30d, such as 1h. Default: 90s. "
            + "Use this time to give it to registries that verify tokens themselves.",
    };

    private static readonly Option<bool> Yes = new("--yes", "-y") { Description = "Does not ask for confirmation." };

    private static readonly Argument<string> Id = new("ID")
    {
        Description = "The key's id as shown by \"gateway keys list\", or its first characters.",
    };

    private static readonly Argument<DirectoryInfo> Folder = new("DIR")
    {
        Description = "The folder for bundle.crt and jwks.json.",
    };

    private static Option<FileInfo> CreateConfig()
    {
        var option = ConfigOption.Create("The configuration file of the gateway that has the keys.");
        option.Recursive = true;
        return option;
    }

    public static Command Create() => new(
        "keys", "Shows and changes the keys that sign access tokens. Running gateways apply changes within a second.")
    {
        Config,
        Subcommand(
            "list", "Lists the keys: which one signs, which one is next, and until when the others are needed.",
            ListAsync, Json),
        Subcommand(
            "rotate",
            "Creates a new key. It signs after a minute and a half, when every replica knows it.",
            RotateAsync,
            Now,
            In),
        Subcommand(
            "retire", "Removes a key immediately: tokens that it signed are no longer accepted.", RetireAsync, Id, Yes),
        Subcommand(
            "export",
            "Writes bundle.crt and jwks.json, for registries that verify tokens themselves.",
            ExportAsync,
            Folder),
        KeysProbeCommand.Create(Config),
    };

    private static Command Subcommand(
        string name,
        string description,
        Func<ParseResult, Keys, CancellationToken, Task<int>> action,
        params Symbol[] symbols)
    {
        var command = new Command(name, description).With(symbols);
        command.SetAction((result, cancellationToken) => RunAsync(result, action, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        ParseResult result,
        Func<ParseResult, Keys, CancellationToken, Task<int>> action,
        CancellationToken cancellationToken)
    {
        var error = result.InvocationConfiguration.Error;
        try
        {
            var options = ConfigOption.Load(result.GetRequiredValue(Config));
            var schedule = new SigningKeySchedule(options.SigningKeySettings(), TimeProvider.System);
            if (StateElsewhere.FindMissingKeys(options) is { } elsewhere)
            {
                throw new ProblemException(elsewhere);
            }

            using var audit = result.CommandResult.Command.Name is "rotate" or "retire"
                ? options.BeginAudit(
                    "keys " + result.CommandResult.Command.Name,
                    result.CommandResult.Command.Arguments.Contains(Id) ? result.GetValue(Id) : null,
                    TimeProvider.System,
                    error.WriteLine)
                : null;
            if (options.Tokens.Keys.Store == SigningKeyStoreKind.Folder)
            {
                var folder = new KeyFolder(options.KeyFolderPath(), schedule);
                return await action(result, new Keys(folder, schedule), cancellationToken);
            }
            else
            {
                await using var redis = options.ConnectToRedis();
                var store = new RedisKeyStore(redis, options.Tokens.Keys.Password!);
                return await action(result, new Keys(store, schedule), cancellationToken);
            }
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

    private static async Task<int> ListAsync(ParseResult result, Keys of, CancellationToken cancellationToken)
    {
        var keys = await of.Store.ReadAsync(cancellationToken);
        var output = result.InvocationConfiguration.Output;
        if (result.GetValue(Json))
        {
            await output.WriteLineAsync(ToJson(of.Schedule, keys));
            return 0;
        }

        const string row = "{0,-59}  {1,-9}  {2,-20}  {3}";
        await output.WriteLineAsync(Row("ID", "ALGORITHM", "CREATED", "STATE"));
        foreach (var key in SigningKeyRing.InOrder(keys))
        {
            var created = key.CreatedAt is { } at ? SigningKeyText.Format(at) : "imported";
            await output.WriteLineAsync(Row(key.Id, key.Algorithm, created, Describe(of.Schedule, key, keys)));
        }

        return 0;

        static string Row(params object[] cells) =>
            string.Format(System.Globalization.CultureInfo.InvariantCulture, row, cells);
    }

    private static async Task<int> RotateAsync(ParseResult result, Keys of, CancellationToken cancellationToken)
    {
        var delay = DelayOf(result);
        var change = await of.Store.ChangeAsync(keys => of.Schedule.Rotate(keys, delay), cancellationToken);
        var (output, error) = (result.InvocationConfiguration.Output, result.InvocationConfiguration.Error);
        var keys = await of.Store.ReadAsync(cancellationToken);
        if (change.Added is { } added)
        {
            await output.WriteLineAsync(added.ActiveFrom <= TimeProvider.System.GetUtcNow()
                ? $"Created {added.Id}, which signs now."
                : $"Created {added.Id}, which signs from {SigningKeyText.Format(added.ActiveFrom)} on.");
            await output.WriteLineAsync(
                "Before then, a registry that verifies tokens itself needs the new bundle.crt or jwks.json, and "
                    + "a restart.");
        }
        else
        {
            var next = keys.First(key => of.Schedule.StateOf(key, keys) == SigningKeyState.Next);
            await error.WriteLineAsync(
                $"No key was created: {next.Id} was created earlier and signs from "
                    + $"{SigningKeyText.Format(next.ActiveFrom)} on.");
        }

        foreach (var former in keys.Where(key => of.Schedule.StateOf(key, keys) == SigningKeyState.Verifies))
        {
            await output.WriteLineAsync(
                $"Tokens signed by {former.Id} are accepted until "
                    + $"{SigningKeyText.Format(of.Schedule.NeededUntil(former, keys)!.Value)}; to refuse them now: "
                    + $"gateway keys retire {former.Id}");
        }

        foreach (var removed in change.Removed)
        {
            await output.WriteLineAsync($"Removed {removed.Id}: no token that it signed can still be in use.");
        }

        return change.Added is null ? NothingDone : 0;
    }

    private static TimeSpan DelayOf(ParseResult result)
    {
        var text = result.GetValue(In);
        if (text is null)
        {
            return result.GetValue(Now) ? TimeSpan.Zero : SigningKeySchedule.PublicationDelay;
        }

        return !result.GetValue(Now) && Duration.TryParse(text, out var delay)
            && delay >= SigningKeySchedule.PublicationDelay && delay <= LongestDelay
                ? delay
                : throw new ProblemException(new Problem(
                    "--in", "this is not a duration from 90s to 30d, or it is combined with --now", text,
                    "Write 1h or 90s, and give only one of --in and --now."));
    }

    private static async Task<int> RetireAsync(ParseResult result, Keys of, CancellationToken cancellationToken)
    {
        var id = result.GetRequiredValue(Id);
        var key = of.Schedule.Retire(await of.Store.ReadAsync(cancellationToken), id).Removed[0];
        if (!result.GetValue(Yes) && !Confirm(result.InvocationConfiguration.Error, key))
        {
            throw new ProblemException(new Problem(
                "--yes", "the key was not retired, because this was not confirmed",
                null, "Answer yes, or give --yes."));
        }

        await of.Store.ChangeAsync(keys => of.Schedule.Retire(keys, key.Id), cancellationToken);
        await result.InvocationConfiguration.Output.WriteLineAsync(
            $"Retired {key.Id}: tokens that it signed are no longer accepted. A registry that verifies tokens itself "
                + "needs the new bundle.crt or jwks.json, and a restart; until then it still accepts that key.");
        return 0;
    }

    private static async Task<int> ExportAsync(ParseResult result, Keys of, CancellationToken cancellationToken)
    {
        var folder = result.GetRequiredValue(Folder).FullName;
        var keys = of.Schedule.Usable(await of.Store.ReadAsync(cancellationToken));
        try
        {
            DurableFolder.Create(folder);
            new DerivedKeyFiles(folder).Write(keys);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ProblemException(new Problem(
                folder, "the files cannot be written", exception.Message,
                "Name a folder that this account can write to."));
        }

        await result.InvocationConfiguration.Output.WriteLineAsync($"Wrote bundle.crt and jwks.json in {folder}.");
        return 0;
    }

    private static bool Confirm(TextWriter prompt, SigningKey key)
    {
        if (Console.IsInputRedirected)
        {
            return false;
        }

        prompt.Write(
            $"Retire {key.Id}? Access tokens and uploads that depend on it stop working immediately (yes/no): ");
        return Console.ReadLine() == "yes";
    }

    private static string Describe(SigningKeySchedule schedule, SigningKey key, IReadOnlyList<SigningKey> keys) =>
        schedule.StateOf(key, keys) switch
        {
            SigningKeyState.Signs => "signs",
            SigningKeyState.Next => $"next, signs from {SigningKeyText.Format(key.ActiveFrom)} on",
            SigningKeyState.Verifies =>
                $"verifies until {SigningKeyText.Format(schedule.NeededUntil(key, keys)!.Value)}",
            _ => $"not used: tokens.algorithm is {schedule.Algorithm}",
        };

    private static string ToJson(SigningKeySchedule schedule, IReadOnlyList<SigningKey> keys)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(1024);
        using var json = new Utf8JsonWriter(buffer, Indented);
        json.WriteStartArray();
        foreach (var key in SigningKeyRing.InOrder(keys))
        {
            var state = schedule.StateOf(key, keys);
            json.WriteStartObject();
            json.WriteString("id", key.Id);
            json.WriteString("algorithm", key.Algorithm.ToString());
            json.WriteString("state", state.ToString().ToLowerInvariant());
            json.WriteString("activeFrom", SigningKeyText.Format(key.ActiveFrom));
            if (state == SigningKeyState.Verifies)
            {
                json.WriteString("verifiesUntil", SigningKeyText.Format(schedule.NeededUntil(key, keys)!.Value));
            }

            if (key.CreatedAt is { } created)
            {
                json.WriteString("createdAt", SigningKeyText.Format(created));
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.Flush();
        return System.Text.Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private sealed record Keys(ISigningKeyStore Store, SigningKeySchedule Schedule);
}
