using Gateway.Bench.Fronts;
using Gateway.Bench.Machine;
using Gateway.Bench.Report;

namespace Gateway.Bench.Studies;

/// <summary>What one call of the command costs.</summary>
internal sealed class CommandStudy(Lab lab, FrontSet fronts) : IStudy
{
    private const int Calls = 3;

    /// <inheritdoc/>
    public string Key => "commands";

    /// <inheritdoc/>
    public async Task RunAsync(Results results, CancellationToken cancellationToken)
    {
        await using var front = await fronts.StartAsync(FrontSet.Gateway);
        var client = lab.Options.Client ?? Path.Combine(lab.Options.Gateway, "gateway");
        var folder = lab.FolderOf("client");
        Directory.CreateDirectory(folder);
        var helper = Path.Combine(folder, "docker-credential-gateway");
        File.CreateSymbolicLink(helper, client);
        var environment = new Dictionary<string, string>
        {
            ["REGISTRY_GATEWAY_LOGINS"] = Path.Combine(folder, "logins.json"),
        };
        var host = front.Address.Authority;
        await Command.RunAsync(
            [client, "login", "--no-docker", "--ca", lab.AuthorityFile, "--username", Lab.User, host],
            Lab.Password + "\n", environment);
        for (var repeat = 0; repeat <= lab.Sizes.Repeats * Calls; repeat++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await MeasureAsync("version", "", Path.Combine(lab.Options.Gateway, "gateway"), "--version");
            await MeasureAsync("explain", "", client, "doctor", "explain", "denied: requested access to the resource");
            await MeasureAsync("credential-get", host, helper, "get");

            async Task MeasureAsync(string figure, string input, params string[] command)
            {
                var before = ProcessorTime.OfEndedChildren();
                await Command.RunAsync(command, input, environment);
                if (repeat > 0 || lab.Sizes.IsTiny)
                {
                    results.Add(Key, "client", figure, "s", ProcessorTime.OfEndedChildren() - before);
                }
            }
        }
    }
}
