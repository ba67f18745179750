using System.Diagnostics;
using System.Globalization;
using System.Net;
using Gateway.Bench.Fronts;
using Gateway.Bench.Machine;
using Gateway.Bench.Report;
using Gateway.Bench.Servers;

namespace Gateway.Bench.Studies;

/// <summary>What one added rule costs among few and among many, until it decides a request.</summary>
internal sealed class ReloadStudy(Lab lab, FrontSet fronts) : IStudy
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <inheritdoc/>
    public string Key => "reload";

    /// <inheritdoc/>
    public async Task RunAsync(Results results, CancellationToken cancellationToken)
    {
        foreach (var rules in lab.Sizes.StartRules)
        {
            await using var front = await fronts.StartAsync(FrontSet.Gateway, rules);
            using var client = lab.CreateClient(front.Address);
            client.DefaultRequestHeaders.Authorization = Lab.BasicOf(Lab.Guest);
            for (var repeat = 0; repeat < lab.Sizes.Repeats; repeat++)
            {
                var repository = string.Create(CultureInfo.InvariantCulture, $"reload/number-{repeat}");
                var path = new Uri($"/v2/{repository}/tags/list", UriKind.Relative);
                if (await AskAsync(client, path, cancellationToken) is HttpStatusCode.NotFound)
                {
                    throw new BenchException($"{repository} is allowed before its rule is there.");
                }

                await Task.Delay(TimeSpan.FromSeconds(lab.Sizes.QuietSeconds), cancellationToken);
                var (before, started) = (ProcessorTime.OfTree(front.Process), Stopwatch.GetTimestamp());
                PolicyFiles.AddRule(
                    front.Gateway!.PolicyFolder,
                    $"{{ name: \"{repository}\", to: [ \"user:{Lab.Guest}\" ], role: reader, on: [ \"{repository}\" ] }}");

                // The registry does not know the repository, but only who may ask hears that.
                while (await AskAsync(client, path, cancellationToken) is not HttpStatusCode.NotFound)
                {
                    if (Stopwatch.GetElapsedTime(started) > Limit)
                    {
                        throw new BenchException($"the rule for {repository} is not in force after {Limit}.");
                    }

                    await Task.Delay(Pause, cancellationToken);
                }

                results.Add(
                    Key, StartStudy.NameOf(rules), "reload-cpu", "s", ProcessorTime.OfTree(front.Process) - before);
            }
        }
    }

    private static async Task<HttpStatusCode> AskAsync(
        HttpClient client, Uri path, CancellationToken cancellationToken)
    {
        using var answer = await client.GetAsync(path, cancellationToken);
        return answer.StatusCode;
    }
}
