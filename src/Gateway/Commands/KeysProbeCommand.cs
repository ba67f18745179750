using System.CommandLine;
using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Routing;
using Gateway.Server.Store.Keys;
using Gateway.Server.Tokens.Service;

namespace Gateway.Commands;

/// <summary><c>gateway keys probe [REGISTRY]</c>: do the registries accept the gateway's tokens, and why not?</summary>
internal static class KeysProbeCommand
{
    private const int Refused = 1;

    // EX_UNAVAILABLE of sysexits.h.
    private const int Unreachable = 69;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    private static readonly Argument<string?> Registry = new("REGISTRY")
    {
        Description = "The name of a configured registry. Default: all of them.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    /// <param name="config">The option of the parent command that names the configuration file.</param>
    public static Command Create(Option<FileInfo> config)
    {
        var command = new Command(
            "probe",
            "Checks whether registries that verify tokens accept the gateway's tokens; exit code 0 if they do.")
        {
            Registry,
        };
        command.SetAction((result, cancellationToken) =>
            RunAsync(result, result.GetRequiredValue(config), result.GetValue(Registry), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        ParseResult result, FileInfo config, string? name, CancellationToken cancellationToken)
    {
        var error = result.InvocationConfiguration.Error;
        try
        {
            var options = ConfigOption.Load(config);
            var outcomes = await ProbeAsync(
                options, Choose(options, name), result.InvocationConfiguration.Output, cancellationToken);
            return outcomes.Contains(RegistryProbeOutcome.Refused) ? Refused
                : outcomes.Contains(RegistryProbeOutcome.Unreachable) ? Unreachable
                : 0;
        }
        catch (ProblemException exception)
        {
            return ProblemReport.Write(error, exception.Problems);
        }
        catch (StateException exception)
        {
            await error.WriteLineAsync(exception.Message);
            return Unreachable;
        }
    }

    private static async Task<HashSet<RegistryProbeOutcome>> ProbeAsync(
        GatewayOptions options,
        List<RegistryOptions> registries,
        TextWriter output,
        CancellationToken cancellationToken)
    {
        var keys = new SigningKeyRing(await ReadKeysAsync(options, cancellationToken));
        var host = options.CreateRouter().PublicHost;
        var trust = options.LoadUpstreamTrust();
        var outcomes = new HashSet<RegistryProbeOutcome>();
        foreach (var registry in registries)
        {
            using var handler = new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                UseProxy = false,
            };
            trust.Configure(registry.Name, handler);
            using var client = new HttpClient(handler) { Timeout = Timeout };
            var probe = new RegistryProbe(client, keys, host, TimeProvider.System);
            var credential = UpstreamCredential.Header(registry.Credential);
            // Each replica: one may have missed the restart that a new key needs.
            foreach (var upstream in registry.Upstreams)
            {
                var found = await probe.ProbeAsync(upstream, credential, cancellationToken);
                outcomes.Add(found.Outcome);
                await output.WriteLineAsync(
                    $"{registry.Name} {upstream.GetLeftPart(UriPartial.Authority)}: "
                    + string.Join("\n  ", found.Lines.Concat(Advice(registry, found.Outcome))));
            }
        }

        return outcomes;
    }

    private static IEnumerable<string> Advice(RegistryOptions registry, RegistryProbeOutcome outcome)
    {
        if (registry.ForwardToken && outcome == RegistryProbeOutcome.Open)
        {
            yield return "forwardToken is set, but without effect: this registry does not verify tokens.";
        }
        else if (registry is { ForwardToken: false, Credential: null } && outcome == RegistryProbeOutcome.Accepted)
        {
            yield return "The gateway does not send it tokens yet: set forwardToken: true for this registry.";
        }
    }

    private static List<RegistryOptions> Choose(GatewayOptions options, string? name) =>
        name is null ? options.Registries
        : options.Registries.Find(registry => registry.Name == name) is { } chosen ? [chosen]
        : throw new ProblemException(new Problem(
            "REGISTRY", "no registry has that name", name,
            $"Name one of: {string.Join(", ", options.Registries.Select(static registry => registry.Name))}."));

    private static async Task<IReadOnlyList<SigningKey>> ReadKeysAsync(
        GatewayOptions options, CancellationToken cancellationToken)
    {
        var schedule = new SigningKeySchedule(options.SigningKeySettings(), TimeProvider.System);
        IReadOnlyList<SigningKey> keys;
        if (options.Tokens.Keys.Store == SigningKeyStoreKind.Folder)
        {
            var folder = new KeyFolder(options.KeyFolderPath(), schedule);
            keys = await folder.ReadAsync(cancellationToken);
        }
        else
        {
            await using var redis = options.ConnectToRedis();
            keys = await new RedisKeyStore(redis, options.Tokens.Keys.Password!).ReadAsync(cancellationToken);
        }

        return schedule.Usable(keys) is { Count: > 0 } usable
            ? usable
            : throw new ProblemException(new Problem(
                "tokens.keys", "there is no key yet", null,
                "Start the gateway once, or create one with \"gateway keys rotate\"."));
    }
}
