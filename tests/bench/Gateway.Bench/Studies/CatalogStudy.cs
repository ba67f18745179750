using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gateway.Bench.Fronts;
using Gateway.Bench.Machine;
using Gateway.Bench.Report;
using Gateway.Bench.Servers;

namespace Gateway.Bench.Studies;

/// <summary>
/// The catalog of a registry with many repositories: for a caller who sees ten of them, and for one who sees all.
/// </summary>
internal sealed partial class CatalogStudy(Lab lab, FrontSet fronts) : IStudy
{
    private const int Visible = 10;
    private const int ClientPage = 100;
    private const int LargePage = 1_000;
    private const int Times = 10;

    /// <inheritdoc/>
    public string Key => "catalog";

    /// <inheritdoc/>
    public async Task RunAsync(Results results, CancellationToken cancellationToken)
    {
        var folder = lab.FolderOf("catalog");
        MakeRepositories(Path.Combine(folder, "data"));
        await using var registry = await RegistryServer.StartAsync(
            folder, Path.Combine(folder, "data"), logsRequests: true);
        await using var gateway = await GatewayServer.StartAsync(
            fronts.SettingsOf(FrontSet.Gateway, lab.FolderOf("gateway-catalog")) with { Upstream = registry.Address });
        using var direct = lab.CreateClient(registry.Address);
        using var guest = lab.CreateClient(gateway.Address);
        guest.DefaultRequestHeaders.Authorization = Lab.BasicOf(Lab.Guest);
        using var user = lab.CreateClient(gateway.Address);
        user.DefaultRequestHeaders.Authorization = Lab.BasicOf(Lab.User);
        for (var repeat = 0; repeat <= lab.Sizes.Repeats; repeat++)
        {
            var page = await MeasureAsync(direct, ClientPage, 1, Times);
            var largePage = await MeasureAsync(direct, LargePage, 1, 1);
            var walk = await MeasureAsync(direct, LargePage, int.MaxValue, 1);

            // Until a gateway that keeps names for a while has forgotten them.
            await Task.Delay(TimeSpan.FromSeconds(lab.Sizes.ForgetSeconds), cancellationToken);
            var cold = await MeasureAsync(guest, ClientPage, 1, 1);
            Expect(cold.Names, Math.Min(Visible, ClientPage));
            var warm = await MeasureAsync(guest, ClientPage, 1, Times);
            await Task.Delay(TimeSpan.FromSeconds(lab.Sizes.ForgetSeconds), cancellationToken);
            var all = await MeasureAsync(user, ClientPage, int.MaxValue, 1);
            Expect(all.Names, lab.Sizes.Repositories);
            if (repeat == 0 && !lab.Sizes.IsTiny)
            {
                continue; // to warm up
            }

            Add(FrontSet.Registry, "page-100", "ms", page.Cpu * 1e3);
            Add(FrontSet.Registry, "page-1000", "ms", largePage.Cpu * 1e3);
            Add(FrontSet.Registry, "walk", "ms", walk.Cpu * 1e3);
            Add(FrontSet.Gateway, "guest-page-cold", "ms", cold.Cpu * 1e3);
            Add(FrontSet.Gateway, "guest-page-cold-read", "names", cold.Read);
            Add(FrontSet.Gateway, "guest-page-warm", "ms", warm.Cpu * 1e3);
            Add(FrontSet.Gateway, "guest-page-warm:page-100", "ratio", warm.Cpu / page.Cpu);
            Add(FrontSet.Gateway, "walk", "ms", all.Cpu * 1e3);
            Add(FrontSet.Gateway, "walk-read", "per name", (double)all.Read / all.Names);

            void Add(string front, string figure, string unit, double value) =>
                results.Add(Key, front, figure, unit, value);
        }

        async Task<(double Cpu, int Names, int Read)> MeasureAsync(HttpClient client, int size, int pages, int times)
        {
            var read = await NamesReadAsync(folder, cancellationToken);
            var before = ProcessorTime.OfTree(gateway.Id) + ProcessorTime.OfTree(registry.Id);
            var names = 0;
            for (var i = 0; i < times; i++)
            {
                names = await WalkAsync(client, size, pages, cancellationToken);
            }

            var cpu = ProcessorTime.OfTree(gateway.Id) + ProcessorTime.OfTree(registry.Id) - before;
            return (cpu / times, names, await NamesReadAsync(folder, cancellationToken) - read);
        }
    }

    private static void Expect(int names, int expected)
    {
        if (names != expected)
        {
            throw new BenchException($"the catalog gave {names} names, not {expected}.");
        }
    }

    // What makes a name appear in the catalog of 2.8 is the folder of its layers.
    private void MakeRepositories(string data)
    {
        var root = Path.Combine(data, "docker", "registry", "v2", "repositories");
        for (var i = 0; i < lab.Sizes.Repositories; i++)
        {
            Directory.CreateDirectory(Path.Combine(root, NameOf(i), "_layers"));
            Directory.CreateDirectory(Path.Combine(root, NameOf(i), "_manifests", "tags"));
        }
    }

    // All of the same length, so that the size of an answer tells how many it has.
    private string NameOf(int number) => string.Create(
        CultureInfo.InvariantCulture,
        $"catalog/{number:000000}-{(number % (lab.Sizes.Repositories / Visible) == 5 ? "open" : "shut")}");

    private static async Task<int> WalkAsync(
        HttpClient client, int size, int pages, CancellationToken cancellationToken)
    {
        var names = 0;
        var next = new Uri($"/v2/_catalog?n={size}", UriKind.Relative);
        for (var page = 0; page < pages; page++)
        {
            using var answer = await client.GetAsync(next, cancellationToken);
            Load.Content.Expect(answer, HttpStatusCode.OK);
            using var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(cancellationToken));
            names += body.RootElement.GetProperty("repositories").GetArrayLength();
            if (!answer.Headers.TryGetValues("Link", out var links))
            {
                break;
            }

            next = new Uri(links.First().Split('<', '>')[1], UriKind.RelativeOrAbsolute);
        }

        return names;
    }

    // From the sizes in the registry's own log of requests.
    private async Task<int> NamesReadAsync(string folder, CancellationToken cancellationToken)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(300), cancellationToken); // the log comes after the answer
        await using var file = new FileStream(
            Path.Combine(folder, "server.log"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(file);
        var log = await reader.ReadToEndAsync(cancellationToken);
        var empty = "{\"repositories\":[]}\n".Length;
        var name = NameOf(0).Length + 3; // two quotes and a comma
        return CatalogLine().Matches(log).Sum(line =>
            (int.Parse(line.Groups[1].ValueSpan, CultureInfo.InvariantCulture) - empty + 1) / name);
    }

    [GeneratedRegex("\"GET /v2/_catalog[^\"]*\" 200 (\\d+)")]
    private static partial Regex CatalogLine();
}
