using System.Globalization;
using Gateway.Bench.Fronts;
using Gateway.Bench.Load;
using Gateway.Bench.Machine;
using Gateway.Bench.Report;

namespace Gateway.Bench.Studies;

/// <summary>
/// What a start costs until the server is ready, and the memory that it then holds, idle and after load.
/// </summary>
internal sealed class StartStudy(Lab lab, FrontSet fronts) : IStudy
{
    private const int MinimumLoad = 64;

    /// <inheritdoc/>
    public string Key => "start";

    /// <summary>How the results name a gateway with so many rules.</summary>
    public static string NameOf(int rules) =>
        string.Create(CultureInfo.InvariantCulture, $"{FrontSet.Gateway}-{rules}-rules");

    /// <inheritdoc/>
    public async Task RunAsync(Results results, CancellationToken cancellationToken)
    {
        for (var repeat = 0; repeat < lab.Sizes.Repeats; repeat++)
        {
            await using (var yarp = await fronts.StartAsync(FrontSet.Yarp))
            {
                await MeasureAsync(results, FrontSet.Yarp, yarp, cancellationToken);
            }

            foreach (var rules in lab.Sizes.StartRules)
            {
                await using var gateway = await fronts.StartAsync(FrontSet.Gateway, rules);
                await MeasureAsync(results, NameOf(rules), gateway, cancellationToken);
            }
        }
    }

    private async Task MeasureAsync(Results results, string name, Front front, CancellationToken cancellationToken)
    {
        results.Add(Key, name, "ready-cpu", "s", ProcessorTime.OfTree(front.Process));
        await Task.Delay(TimeSpan.FromSeconds(lab.Sizes.QuietSeconds), cancellationToken);
        results.Add(Key, name, "idle-memory", "MiB", ProcessorTime.MemoryOfTree(front.Process) / 1048576.0);

        using var client = lab.CreateClient(front.Address, Wrk.Connections);
        client.DefaultRequestHeaders.Authorization =
            await front.AuthorizeAsync(client, $"repository:{Content.Repository}:pull");
        client.DefaultRequestHeaders.TryAddWithoutValidation("Accept", Content.Accept);
        var manifest = new Uri($"/v2/{Content.Repository}/manifests/latest", UriKind.Relative);
        var blob = new Uri($"/v2/{Content.Repository}/blobs/{lab.Content.Medium.Digest}", UriKind.Relative);
        await CountedLoad.RunAsync(
            Math.Max(MinimumLoad, lab.Sizes.Requests * 2),
            Wrk.Connections,
            async (number, cancellation) =>
            {
                using var answer = await client.GetAsync(number % 10 == 0 ? blob : manifest, cancellation);
                Content.Expect(answer, System.Net.HttpStatusCode.OK);
            },
            cancellationToken);
        results.Add(Key, name, "loaded-memory", "MiB", ProcessorTime.MemoryOfTree(front.Process) / 1048576.0);
    }
}
