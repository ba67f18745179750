using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Gateway.Client.Commands;
using Gateway.Core.Authorization;
using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Store.Identities;
using Gateway.Server.Tokens.Credentials;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Commands;

/// <summary>
/// <c>gateway token create|list|revoke|rotate</c>: personal and robot tokens, in the store of the configuration. A
/// running gateway accepts them at once.
/// </summary>
internal static class TokenCommand
{
    private const int NothingDone = 1;
    private const string By = "operator";

    private static readonly Option<FileInfo> Config = ConfigOption.Create();

    private static readonly Argument<string> Name = new("NAME") { Description = "The token's name: laptop." };

    private static readonly Argument<string> Id = new("ID") { Description = "The token's id, as shown by \"list\"." };

    private static readonly Argument<string?> OptionalId = new("ID")
    {
        Description = "The token's id, as shown by \"list\".",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<string?> User = new("--user")
    {
        Description = "The owner of a personal token, by full name: alice, corp/alice.",
    };

    private static readonly Option<string?> Robot = new("--robot")
    {
        Description = "The owner of a robot token. A robot exists as soon as it has a token; policies name it "
            + "robot:NAME.",
    };

    private static readonly Option<string[]> Scope = new("--scope")
    {
        Description = "Limits what the token may do: a repository pattern and actions, \"team-a/**:pull,push\". "
            + "May be given several times.",
    };

    private static readonly Option<bool> All = new("--all")
    {
        Description = "Instead of --scope: everything that the user may do. Not for robots.",
    };

    private static readonly Option<string?> Expires = new("--expires")
    {
        Description = "The lifetime, such as 30d or 12h. Default: tokens.defaultCredentialLifetime for a new token, "
            + "the former lifetime for a rotated one.",
    };

    private static readonly Option<string?> Overlap = new("--overlap")
    {
        Description = "How long the old token stays valid. Default: 24h; 0s revokes it immediately.",
    };

    private static readonly Option<string?> Owner = new("--owner")
    {
        Description = "Lists only the tokens of user:NAME or robot:NAME.",
    };

    private static readonly Option<string?> AllOf = new("--all-of")
    {
        Description = "Instead of ID: revokes everything that user:NAME or robot:NAME has, including access tokens.",
    };

    private static readonly Option<bool> Quiet = new("--quiet", "-q") { Description = "Prints only the secret." };

    private static readonly Option<bool> Json = new("--json")
    {
        Description = "Prints JSON, in the format of the API.",
    };

    public static Command Create() => new(
        "token",
        "Creates, lists, revokes and rotates personal and robot tokens. A running gateway applies changes at once.")
    {
        Subcommand(
            "create",
            "Creates a token and prints its secret to standard output. The secret is not shown again.",
            CreateAsync,
            Name, User, Robot, Scope, All, Expires, Quiet, Json),
        Subcommand("list", "Lists the tokens without their secrets, the newest first.", ListAsync, Owner, Json),
        Subcommand("revoke", "Revokes a token permanently, or all tokens of an owner.", RevokeAsync, OptionalId, AllOf),
        Subcommand(
            "rotate",
            "Creates a token like an existing one; the old token expires after an overlap.",
            RotateAsync,
            Id, Overlap, Expires, Quiet, Json),
    };

    private static Command Subcommand(
        string name,
        string description,
        Func<ParseResult, GatewayOptions, CommandStores, CredentialService, CancellationToken, Task<int>> action,
        params Symbol[] symbols)
    {
        var command = new Command(name, description) { Config }.With(symbols);
        command.SetAction((result, cancellationToken) => RunAsync(result, action, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        ParseResult result,
        Func<ParseResult, GatewayOptions, CommandStores, CredentialService, CancellationToken, Task<int>> action,
        CancellationToken cancellationToken)
    {
        try
        {
            var options = ConfigOption.Load(result.GetRequiredValue(Config));
            StoreOwner.Ensure(options, result.InvocationConfiguration.Error.WriteLine);
            await using var stores = options.OpenStores();
            using var audit = IsListing(result) ? null : options.BeginAudit(
                    "token " + result.CommandResult.Command.Name,
                TargetOf(result),
                TimeProvider.System,
                result.InvocationConfiguration.Error.WriteLine);
            var service = new CredentialService(
                stores.Credentials, options.Tokens, TimeProvider.System, NullLogger<CredentialService>.Instance, audit);
            var exitCode = await action(result, options, stores, service, cancellationToken);
            return exitCode == 0 && audit is { HasFailed: true } ? NothingDone : exitCode;
        }
        catch (ProblemException exception)
        {
            return Report(result, exception.Problems, ProblemReport.ConfigurationProblem);
        }
        catch (StateException exception)
        {
            result.InvocationConfiguration.Error.WriteLine(exception.Message);
            return NothingDone;
        }
    }

    // From the command line: an attempt that fails has a target too.
    private static string? TargetOf(ParseResult result) => result.CommandResult.Command.Name switch
    {
        "create" => result.GetValue(Robot) is { } robot ? "robot:" + robot
            : result.GetValue(User) is { } user ? "user:" + user
            : null,
        "revoke" => result.GetValue(AllOf) ?? result.GetValue(OptionalId),
        "rotate" => result.GetValue(Id),
        _ => null,
    };

    private static bool IsListing(ParseResult result) => result.CommandResult.Command.Name == "list";

    private static async Task<int> CreateAsync(
        ParseResult result, GatewayOptions options, CommandStores stores, CredentialService service,
        CancellationToken cancellationToken)
    {
        var owner = await OwnerOfAsync(result, options, stores, cancellationToken);
        var outcome = await service.CreateAsync(
            new CredentialOrder
            {
                Owner = owner.Subject,
                Evidence = owner.Evidence,
                Name = result.GetRequiredValue(Name),
                Limit = LimitOf(result),
                Lifetime = DurationOf(result, Expires),
                CreatedBy = By,
            },
            cancellationToken);
        if (outcome is CredentialOutcome.Issued && owner.Note is { } note)
        {
            result.InvocationConfiguration.Error.WriteLine(note);
        }

        return await PrintAsync(result, options, stores, outcome, cancellationToken);
    }

    private static async Task<int> ListAsync(
        ParseResult result, GatewayOptions options, CommandStores stores, CredentialService service,
        CancellationToken cancellationToken)
    {
        var owner = result.GetValue(Owner) is { } text ? ParseOwner(text, Owner.Name) : null;
        var now = TimeProvider.System.GetUtcNow();
        var tokens = await service.ListAsync(owner, cancellationToken);
        var output = result.InvocationConfiguration.Output;
        if (result.GetValue(Json))
        {
            output.WriteLine(JsonSerializer.Serialize(
                new TokenListDocument([.. tokens.Select(token => TokenDocument.Of(token, now))]),
                TokenJsonContext.Readable.TokenListDocument));
            return 0;
        }

        foreach (var line in TokenTable.Format([.. tokens.Select(token => TokenDocument.Of(token, now))]))
        {
            output.WriteLine(line);
        }

        return 0;
    }

    private static async Task<int> RevokeAsync(
        ParseResult result, GatewayOptions options, CommandStores stores, CredentialService service,
        CancellationToken cancellationToken)
    {
        var (id, allOf) = (result.GetValue(OptionalId), result.GetValue(AllOf));
        if ((id is null) == (allOf is null))
        {
            throw new ProblemException(new Problem(
                "ID", "the token is missing, or there is an owner as well", null,
                "Give the token's id, or --all-of user:alice."));
        }

        var output = result.InvocationConfiguration.Output;
        if (allOf is not null)
        {
            var owner = ParseOwner(allOf, AllOf.Name);
            var isKnown = await KnownSubjects.IsKnownAsync(options, stores, owner, cancellationToken);
            var count = await service.RevokeAllAsync(owner, By, cancellationToken);
            if (count == 0 && !isKnown)
            {
                // Revoked anyway: access tokens may outlive a user's entry in the source.
                var near = await KnownSubjects.FindLikeAsync(options, stores, owner.Name, cancellationToken);
                result.InvocationConfiguration.Error.WriteLine(
                    $"No user and no token of {owner} was found. Access tokens issued until now under exactly that "
                        + $"name are refused, and nothing else was changed. {KnownSubjects.Describe(near)}");
                return NothingDone;
            }

            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"Revoked {count} token{(count == 1 ? "" : "s")} of {owner}, and all access tokens issued to them "
                    + $"until now."));
            return 0;
        }

        if (await service.RevokeAsync(id!, By, cancellationToken))
        {
            output.WriteLine($"Revoked {id}.");
            return 0;
        }

        if (await service.FindAsync(id!, cancellationToken) is null)
        {
            return Unknown(result, id!);
        }

        output.WriteLine($"{id} was revoked already.");
        return 0;
    }

    private static async Task<int> RotateAsync(
        ParseResult result, GatewayOptions options, CommandStores stores, CredentialService service,
        CancellationToken cancellationToken)
    {
        var id = result.GetRequiredValue(Id);
        var overlap = DurationOf(result, Overlap) ?? CredentialService.DefaultOverlap;
        var lifetime = DurationOf(result, Expires);
        return await service.FindAsync(id, cancellationToken) is { } old
            ? await PrintAsync(
                result, options, stores, await service.RotateAsync(old, overlap, lifetime, By, cancellationToken),
                cancellationToken)
            : Unknown(result, id);
    }

    private static async Task<TokenOwner> OwnerOfAsync(
        ParseResult result, GatewayOptions options, CommandStores stores, CancellationToken cancellationToken)
    {
        var (user, robot) = (result.GetValue(User), result.GetValue(Robot));
        if ((user is null) == (robot is null))
        {
            throw new ProblemException(new Problem(
                "--user", "the owner is missing, or there are two: one user or one robot", null,
                "Give --user alice, or --robot ci-deploy."));
        }

        // A token without an existing owner would be refused at its first use: the owner must exist on every request.
        return robot is not null
            ? new TokenOwner(CredentialOwner.Robot(robot))
            : await TokenOwner.FindUserAsync(options, stores, user!, cancellationToken);
    }

    // "Everything" must be explicit: a forgotten --scope must not create the most powerful token.
    private static CredentialLimit? LimitOf(ParseResult result)
    {
        var (scopes, all) = (result.GetValue(Scope) ?? [], result.GetValue(All));
        if (all == scopes.Length > 0)
        {
            throw new ProblemException(new Problem(
                "--scope",
                all ? "cannot be combined with --all" : "the limits of the token are missing",
                null,
                "Give --scope \"team-a/**:pull,push\", or --all for everything that the user may do."));
        }

        return all ? null
            : CredentialLimit.TryParse(scopes, out var limit, out var fault) ? limit
            : throw new ProblemException(
                new Problem("--scope", fault.TrimEnd('.'), null, "See docs/tokens.md, \"Scopes\"."));
    }

    private static TimeSpan? DurationOf(ParseResult result, Option<string?> option) =>
        result.GetValue(option) is not { } text ? null
        : Duration.TryParse(text, out var duration) ? duration
        : throw new ProblemException(new Problem(
            option.Name, "this is not a duration", text, "Write integers with units (d, h, m, s), such as 30d."));

    private static Subject ParseOwner(string text, string option) => CredentialOwner.Parse(text)
        ?? throw new ProblemException(new Problem(
            option, "this is not an owner", text, "Write user:NAME or robot:NAME."));

    private static async Task<int> PrintAsync(
        ParseResult result, GatewayOptions options, CommandStores stores, CredentialOutcome outcome,
        CancellationToken cancellationToken)
    {
        switch (outcome)
        {
            case CredentialOutcome.Issued issued:
                Print(result, options, issued);
                if (await KnownSubjects.IsBlockedAsync(stores, issued.Credential.Owner, cancellationToken))
                {
                    result.InvocationConfiguration.Error.WriteLine(
                        $"{issued.Credential.Owner} is blocked, so the token is refused. To unblock: "
                            + "gateway user unblock "
                        + ShellWord.Of(issued.Credential.Owner.ToString()));
                }

                return 0;
            case CredentialOutcome.Invalid(var problems):
                return Report(result, problems.Select(ToOption), ProblemReport.ConfigurationProblem);
            case CredentialOutcome.Conflict(var problem):
                return Report(result, [problem], NothingDone);
            default:
                throw new InvalidOperationException("unknown outcome");
        }
    }

    private static void Print(ParseResult result, GatewayOptions options, CredentialOutcome.Issued issued)
    {
        var (output, error) = (result.InvocationConfiguration.Output, result.InvocationConfiguration.Error);
        if (result.GetValue(Json))
        {
            output.WriteLine(JsonSerializer.Serialize(
                IssuedTokenDocument.Of(issued, TimeProvider.System.GetUtcNow()),
                TokenJsonContext.Readable.IssuedTokenDocument));
            return;
        }

        // Alone on standard output, so that $(gateway token create …) holds the secret with or without --quiet.
        output.WriteLine(issued.Secret.Reveal());
        if (result.GetValue(Quiet))
        {
            return;
        }

        var token = issued.Credential;
        error.WriteLine(
            $"Created the token {token.Id} (\"{token.Name}\") of {token.Owner}, for "
                + $"{token.Limit?.ToString() ?? "everything that its owner may do"}, until "
                + $"{TokenTable.Format(token.ExpiresAt)}.");
        if (issued.Replaced is { } replaced)
        {
            error.WriteLine($"The old token, {replaced.Id}, expires {TokenTable.Format(replaced.ExpiresAt)}.");
        }

        error.WriteLine(
            "The secret is not shown again. Sign in with it: docker login "
            + $"--username {ShellWord.Of(token.Owner.Name)} --password-stdin {options.PublicUrl!.Authority}");
    }

    private static Problem ToOption(Problem problem) => problem with
    {
        Source = problem.Source switch
        {
            CredentialService.NamePart => "NAME",
            CredentialService.OwnerPart => "--robot",
            CredentialService.ScopesPart => "--scope",
            _ => "--expires",
        },
    };

    private static int Unknown(ParseResult result, string id) => Report(
        result, [new Problem("ID", "there is no such token", id, "See them all: gateway token list.")], NothingDone);

    private static int Report(ParseResult result, IEnumerable<Problem> problems, int exitCode) =>
        ProblemReport.Write(result.InvocationConfiguration.Error, problems, exitCode);
}
