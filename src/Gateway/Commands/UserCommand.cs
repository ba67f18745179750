using System.CommandLine;
using System.Globalization;
using Gateway.Client.Commands;
using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Configuration;
using Gateway.Server.SignIn.Authentication;

namespace Gateway.Commands;

/// <summary>
/// <c>gateway user add|remove|list|verify|reload</c>: the users of an htpasswd file. <c>block|unblock|blocked</c>:
/// <see cref="UserBlockCommand"/>.
/// </summary>
internal static class UserCommand
{
    private const int WrongPassword = 1;
    private const int NotInForce = 1;
    private const int DefaultBcryptCost = PasswordRules.TodaysBcryptCost, DefaultYescryptCost =
        PasswordRules.TodaysYescryptCost;

    private static readonly Option<FileInfo?> File = new("--file", "-f")
    {
        Description = "The htpasswd file. Default: the file that the configuration names.",
        Recursive = true,
    };

    private static readonly Option<FileInfo> Config = CreateConfig();

    private static readonly Argument<string> Name = new("NAME")
    {
        Description = "The user name, exactly as at sign-in.",
    };

    private static readonly Option<string> Scheme = new("--scheme")
    {
        Description = "How to hash the password: bcrypt, which other tools can read too, or yescrypt.",
        DefaultValueFactory = static _ => "bcrypt",
    };

    private static readonly Option<int?> Cost = new("--cost")
    {
        Description = "The cost of a hash; each step doubles the work. "
            + "Default: 10 for bcrypt; 5 for yescrypt, which takes 3 to 8.",
    };

    private static Option<FileInfo> CreateConfig()
    {
        var option = ConfigOption.Create("The configuration file that names the htpasswd file.");
        option.Recursive = true;
        return option;
    }

    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        Scheme.AcceptOnlyFromAmong("bcrypt", "yescrypt");
        var user = new Command(
            "user",
            "Edits and checks the users in an htpasswd file, and blocks users of any source. A running gateway applies "
                + "changes to the file within two seconds, and blocks within one.")
        {
            File,
            Config,
            Subcommand(
                "add",
                "Adds a user or changes their password, which is asked for on the terminal or read from "
                    + "standard input.",
                Add,
                Name,
                Scheme,
                Cost),
            Subcommand("remove", "Removes a user.", Remove, Name),
            Subcommand("list", "Lists the users with the scheme and cost of their hashes.", List),
            Subcommand(
                "verify", "Checks whether a password is the user's: exit code 0 if it is, 1 if it is not.",
                Verify, Name),
            UserReloadCommand.Create(File, Config),
        };
        foreach (var command in UserBlockCommand.Create(File, Config))
        {
            user.Add(command);
        }

        return user;

        Command Subcommand(
            string name, string description, Func<ParseResult, HtpasswdOptions, int> action, params Symbol[] symbols)
        {
            var command = new Command(name, description).With(symbols);
            command.SetAction(result => Run(result, action));
            return command;
        }
    }

    private static int Run(ParseResult result, Func<ParseResult, HtpasswdOptions, int> action)
    {
        try
        {
            if (Crypt.Check() is { } missing)
            {
                throw new ProblemException(missing);
            }

            if (result.GetValue(File) is { } file)
            {
                return action(result, new HtpasswdOptions { File = file.FullName }); // the usual settings
            }

            var config = result.GetValue(Config)!;
            var options = ConfigOption.Load(config);
            var htpasswd = options.Authentication.Htpasswd ?? throw new ProblemException(new Problem(
                config.FullName,
                "authentication.htpasswd.file: not set",
                null,
                "Set it, or name a file: --file users.htpasswd."));
            var command = result.CommandResult.Command.Name;
            using var audit = command is "add" or "remove"
                ? options.BeginAudit(
                    "user " + command,
                    UserNameOf(result),
                    TimeProvider.System,
                    result.InvocationConfiguration.Error.WriteLine)
                : null;
            return action(result, htpasswd);
        }
        catch (ProblemException exception)
        {
            return ProblemReport.Write(result.InvocationConfiguration.Error, exception.Problems);
        }
    }

    private static int Add(ParseResult result, HtpasswdOptions options)
    {
        var name = UserNameOf(result);
        var scheme = result.GetValue(Scheme) == "bcrypt" ? HashScheme.Bcrypt : HashScheme.Yescrypt;
        var cost = CostOf(result, scheme, options);
        var password = PasswordPrompt.Read(result.InvocationConfiguration.Error, name, isNew: true);
        if (PasswordRules.Refuse(password, scheme) is var (what, fix))
        {
            throw new ProblemException(new Problem("password", what, null, fix));
        }

        // Hash before locking the file: hashing is slow, the change itself is not.
        var hash = new PasswordHasher().Create(scheme, cost, password);
        var isNew = HtpasswdEditor.Set(options.File, name, hash);
        result.InvocationConfiguration.Output.WriteLine(
            isNew ? $"Added {name} to {options.File}." : $"Changed the password of {name} in {options.File}.");
        return TellOfOtherLines(result, options);
    }

    private static int Remove(ParseResult result, HtpasswdOptions options)
    {
        var name = UserNameOf(result);
        if (!HtpasswdEditor.Remove(options.File, name))
        {
            throw NoSuchUser(name, options);
        }

        result.InvocationConfiguration.Output.WriteLine(
            $"Removed {name} from {options.File}. Tokens of user:{name} are refused while there is no such user; "
                + "tokens that they created for robots still work. Before the name is used again, revoke its tokens: "
                + "gateway token revoke --all-of "
            + ShellWord.Of("user:" + name));
        return TellOfOtherLines(result, options);
    }

    private static int List(ParseResult result, HtpasswdOptions options)
    {
        var entries = Entries(options);
        var users = entries.Where(static entry => entry.Hash is not null).ToList();
        var width = users.Select(static entry => entry.Name!.Length).DefaultIfEmpty().Max();
        foreach (var user in users)
        {
            result.InvocationConfiguration.Output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{user.Name!.PadRight(width)}  {PasswordHash.NameOf(user.Hash!.Scheme),-11}  {user.Hash.Cost}"));
        }

        var problems = entries.Select(static entry => entry.Problem).OfType<Problem>().ToList();
        return problems.Count == 0 ? 0 : throw new ProblemException(problems);
    }

    private static int Verify(ParseResult result, HtpasswdOptions options)
    {
        var name = UserNameOf(result);
        var entry = Entries(options).Find(entry => entry.Name == name) ?? throw NoSuchUser(name, options);
        var hash = entry.Hash ?? throw new ProblemException(entry.Problem!);
        var password = PasswordPrompt.Read(result.InvocationConfiguration.Error, name, isNew: false);
        var isRight = PasswordRules.CanBeHashed(password) && new PasswordHasher().Matches(hash, password);
        result.InvocationConfiguration.Output.WriteLine(
            isRight ? $"This is the password of {name}." : $"This is not the password of {name}.");
        return isRight ? 0 : WrongPassword;
    }

    private static string UserNameOf(ParseResult result)
    {
        var name = result.GetRequiredValue(Name);
        return UserName.IsValid(name)
            ? name
            : throw new ProblemException(new Problem("NAME", "this is not a user name", name, UserName.Rule));
    }

    private static int CostOf(ParseResult result, HashScheme scheme, HtpasswdOptions options)
    {
        var (least, greatest, usual) = scheme == HashScheme.Bcrypt
            ? (options.MinimumCost,
                options.MaximumCost,
                Math.Clamp(DefaultBcryptCost, options.MinimumCost, options.MaximumCost))
            : (PasswordHash.LeastYescryptCost, PasswordHash.GreatestYescryptCost, DefaultYescryptCost);
        var cost = result.GetValue(Cost) ?? usual;
        return cost >= least && cost <= greatest
            ? cost
            : throw new ProblemException(new Problem(
                "--cost",
                $"out of range for {PasswordHash.NameOf(scheme)}",
                cost.ToString(CultureInfo.InvariantCulture),
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"Give a cost from {least} to {greatest}, which the gateway accepts.")));
    }

    private static List<HtpasswdEntry> Entries(HtpasswdOptions options) => HtpasswdFile.ReadLines(
        options.File,
        HtpasswdFile.ReadContent(options.File) ?? throw new ProblemException(HtpasswdFile.NoSuchFile(options.File)));

    private static ProblemException NoSuchUser(string name, HtpasswdOptions options) => new(new Problem(
        options.File, "no such user", name, "List the exact names, with upper and lower case: gateway user list."));

    // The user's own line is valid now; other lines may still make the gateway refuse the file. That is known only
    // where the configuration names the file.
    private static int TellOfOtherLines(ParseResult result, HtpasswdOptions options)
    {
        try
        {
            HtpasswdFile.Load(options);
            return 0;
        }
        catch (ProblemException exception)
        {
            var isKnown = result.GetValue(File) is null;
            result.InvocationConfiguration.Error.WriteLine(isKnown
                ? "The change is in the file but NOT in force: a running gateway uses the previous users until these "
                    + "lines are corrected:"
                : "With its usual settings the gateway refuses the file because of other lines:");
            ProblemReport.Write(result.InvocationConfiguration.Error, exception.Problems);
            return isKnown ? NotInForce : 0;
        }
    }
}
