using System.CommandLine;
using Gateway.Core.Authorization;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Text;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Store.Identities;
using Gateway.Server.Tokens.Credentials;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Commands;

/// <summary><c>gateway identity list|forget</c>: the people whom OpenID providers confirmed.</summary>
internal static class IdentityCommand
{
    private const int NothingDone = 1;
    private const string By = "operator";

    private static readonly Option<FileInfo> Config = ConfigOption.Create();

    private static readonly Argument<string> Method = new("METHOD")
    {
        Description = "The provider, as shown by \"list\": oidc:corp.",
    };

    private static readonly Argument<string> Name = new("NAME") { Description = "The user's name in the gateway." };

    public static Command Create()
    {
        var list = new Command(
            "list", "Lists who has each name, and when the provider last confirmed them.") { Config };
        list.SetAction((result, cancellationToken) => RunAsync(result, ListAsync, cancellationToken));
        var forget = new Command(
            "forget", "Frees a name for another account of the provider, and revokes everything issued to the account "
                + "that had it.")
        {
            Config, Method, Name,
        };
        forget.SetAction((result, cancellationToken) => RunAsync(result, ForgetAsync, cancellationToken));
        return new Command("identity", "Manages the people who signed in through an OpenID provider.") { list, forget };
    }

    private static async Task<int> RunAsync(
        ParseResult result, Func<ParseResult, GatewayOptions, CommandStores, CancellationToken, Task<int>> action,
        CancellationToken cancellationToken)
    {
        try
        {
            var options = ConfigOption.Load(result.GetRequiredValue(Config));
            StoreOwner.Ensure(options, result.InvocationConfiguration.Error.WriteLine);
            await using var stores = options.OpenStores();
            return await action(result, options, stores, cancellationToken);
        }
        catch (ProblemException exception)
        {
            foreach (var problem in exception.Problems)
            {
                result.InvocationConfiguration.Error.WriteLine(problem.ToString());
            }

            return ProblemReport.ConfigurationProblem;
        }
        catch (StateException exception)
        {
            result.InvocationConfiguration.Error.WriteLine(exception.Message);
            return NothingDone;
        }
    }

    private static async Task<int> ListAsync(
        ParseResult result, GatewayOptions options, CommandStores stores, CancellationToken cancellationToken)
    {
        var all = await stores.Identities.ListAsync(cancellationToken);
        string[] titles = ["METHOD", "NAME", "SUB", "SIGNED IN", "CONFIRMED", "GROUPS", "STATE"];
        foreach (var line in all.Count == 0 ? [] : TextTable.Format([titles, .. all.Select(Cells)]))
        {
            result.InvocationConfiguration.Output.WriteLine(line);
        }

        return 0;

        static string[] Cells(StoredIdentity one) =>
        [
            one.Method, one.Name, PrintableName.Of(one.ProviderSubject), TokenTable.Format(one.SignedInAt),
            TokenTable.Format(one.ValidatedAt),
            one.Groups.Count == 0 ? "-" : string.Join(',', one.Groups),
            one.Ended is null ? "active" : "ended: " + one.Ended,
        ];
    }

    private static async Task<int> ForgetAsync(
        ParseResult result, GatewayOptions options, CommandStores stores, CancellationToken cancellationToken)
    {
        var (method, name) = (result.GetRequiredValue(Method), result.GetRequiredValue(Name));
        if (await stores.Identities.FindAsync(method, name, cancellationToken) is null)
        {
            result.InvocationConfiguration.Error.WriteLine(
                $"{method} has not confirmed anyone named \"{name}\". See who was confirmed: gateway identity list.");
            return NothingDone;
        }

        using var audit = options.BeginAudit(
                    "identity forget", $"{method} {name}", TimeProvider.System,
                    result.InvocationConfiguration.Error.WriteLine);
        var service = new CredentialService(
            stores.Credentials, options.Tokens, TimeProvider.System, NullLogger<CredentialService>.Instance, audit);

        // First: the next owner of the name must not find a single token of the former one under it.
        var owner = new Subject { Kind = SubjectKind.User, Name = name, Method = method };
        var count = await service.RevokeAllAsync(owner, By, cancellationToken);
        await stores.Identities.RemoveAsync(method, name, cancellationToken);

        // Again: they may have created one in between. What they create from here on is bound to nobody who has the
        // name.
        count += await service.RevokeAllAsync(owner, By, cancellationToken);
        result.InvocationConfiguration.Output.WriteLine(
            $"The name \"{name}\" is free; {count} tokens and sessions were revoked.");
        if (await KnownSubjects.IsBlockedAsync(stores, owner, cancellationToken))
        {
            result.InvocationConfiguration.Output.WriteLine(
                $"{owner} stays blocked, also for the next owner of the name. To unblock: gateway user unblock "
                    + $"{ShellWord.Of(owner.ToString())}");
        }

        return audit.HasFailed ? NothingDone : 0;
    }
}
