using System.Diagnostics;
using System.Globalization;
using Gateway.Bench.Fronts;
using Gateway.Bench.Machine;
using Gateway.Bench.Report;
using Gateway.Bench.Studies;
using Gateway.Bench.Workloads;

namespace Gateway.Bench;

/// <summary>A run from its first server to its last table.</summary>
internal static class Bench
{
    private static readonly long Started = Stopwatch.GetTimestamp();

    private const string Csv = "performance.csv";
    private const double MuchToCompile = 0.03;

    /// <summary>Runs it.</summary>
    /// <exception cref="BenchException">A server did not start, or an answer was wrong.</exception>
    public static async Task RunAsync(BenchOptions options, CancellationToken cancellationToken)
    {
        if (options.IsProfiled)
        {
            Environment.SetEnvironmentVariable(Profile.Switch, "3"); // the names alone
            Environment.SetEnvironmentVariable("DOTNET_EnableWriteXorExecute", "0"); // else perf sees a file's memory
        }

        Say("starting the registry and Redis, and filling the registry");
        await using var lab = await Lab.CreateAsync(options, cancellationToken);
        var results = new Results();
        var workloads = FrontWorkloads.Of(lab);
        var fronts = new FrontSet(lab);
        IStudy[] studies =
        [
            new StartStudy(lab, fronts), new ReloadStudy(lab, fronts), new IdleStudy(lab, fronts),
            new ConnectionStudy(lab, fronts), new CatalogStudy(lab, fronts), new CommandStudy(lab, fronts),
            new DecisionStudy(lab),
        ];
        string[] known = [.. workloads.Select(static one => one.Key), .. studies.Select(static one => one.Key)];
        if (options.Only.FirstOrDefault(key => !known.Contains(key)) is { } unknown)
        {
            throw new BenchException(
                $"there is no such workload (found: {unknown}). There are: {string.Join(", ", known)}.");
        }

        await CompareFrontsAsync(
            lab, fronts, [.. workloads.Where(one => IsWanted(options, one.Key))], results, cancellationToken);
        foreach (var study in studies.Where(study => IsWanted(options, study.Key)))
        {
            Say($"{study.Key}: once beside the fronts");
            await study.RunAsync(results, cancellationToken);
            await SaveAsync(options, results);
        }

        if (options.IsProfiled)
        {
            return;
        }

        await Console.Out.WriteLineAsync(new PerformanceTables(results).WriteDetails());
        if (options.Output is { } output)
        {
            await WriteAsync(output, results, await SaveAsync(options, results));
        }
    }

    // After each workload: a run that is broken off leaves what it has measured, and --redraw makes a page of it.
    private static async Task<IReadOnlyList<(string Name, string Value)>> SaveAsync(
        BenchOptions options, Results results)
    {
        var facts = await MachineFacts.ReadAsync(options);
        if (options.Output is { } output && !options.IsProfiled)
        {
            await File.WriteAllTextAsync(Path.Combine(output, Csv), results.ToCsv(facts, Comparison.Ratios(results)));
        }

        return facts;
    }

    /// <summary>Writes the page and the picture again, from the figures of an earlier run.</summary>
    public static async Task RedrawAsync(BenchOptions options)
    {
        var output = options.Output ?? throw new BenchException("--redraw needs --output.");
        var (results, facts) = Results.FromCsv(await File.ReadAllTextAsync(Path.Combine(output, Csv)));
        await WriteAsync(output, results, facts);
    }

    private static async Task WriteAsync(
        string folder, Results results, IReadOnlyList<(string Name, string Value)> facts)
    {
        var page = Path.Combine(folder, "performance.md");
        var text = File.Exists(page) ? await File.ReadAllTextAsync(page) : "";
        await File.WriteAllTextAsync(
            page, PerformancePage.Replace(text, facts, new PerformanceTables(results).Write()));
        await File.WriteAllTextAsync(
            Path.Combine(folder, "performance.svg"), PerformancePicture.Draw(results));
        Say($"performance.md, .csv and .svg are in {folder}");
    }

    private static async Task CompareFrontsAsync(
        Lab lab, FrontSet set, IReadOnlyList<IFrontWorkload> workloads, Results results,
        CancellationToken cancellationToken)
    {
        if (workloads.Count == 0)
        {
            return;
        }

        var fronts = new List<Front>();
        try
        {
            foreach (var key in set.Keys().Where(key => workloads.Any(one => one.AppliesTo(key))))
            {
                Say($"starting {FrontSet.Titles[key]}");
                fronts.Add(await set.StartAsync(key));
            }

            foreach (var workload in workloads)
            {
                await (lab.Options.IsProfiled
                    ? ProfileAsync(lab, workload, fronts, cancellationToken)
                    : CompareAsync(lab, workload, fronts, results, cancellationToken));
                await SaveAsync(lab.Options, results);
            }
        }
        finally
        {
            foreach (var front in fronts)
            {
                await front.DisposeAsync();
            }

            foreach (var workload in workloads.OfType<IDisposable>())
            {
                workload.Dispose();
            }
        }
    }

    // A B C … A B C …: what the machine does beside this touches all of them alike.
    private static async Task CompareAsync(
        Lab lab, IFrontWorkload workload, IReadOnlyList<Front> fronts, Results results,
        CancellationToken cancellationToken)
    {
        results.Works.Add(new Work(workload.Key, workload.Title, workload.Table));
        Front[] compared = [.. fronts.Where(front => workload.AppliesTo(front.Key))];
        foreach (var front in compared)
        {
            await WarmUpAsync(lab, workload, front, cancellationToken);
        }

        for (var round = 1; round <= lab.Sizes.Rounds; round++)
        {
            foreach (var front in compared)
            {
                cancellationToken.ThrowIfCancellationRequested();
                Add(results, workload, front, await workload.RunAsync(front, cancellationToken));
            }

            Say(string.Create(
                CultureInfo.InvariantCulture, $"{workload.Key}: round {round} of {lab.Sizes.Rounds}"));
        }
    }

    // .NET compiles hot code again while it runs, in the same process, and on a busy machine that takes long. So this
    // goes on until little is left to compile.
    private static async Task WarmUpAsync(
        Lab lab, IFrontWorkload workload, Front front, CancellationToken cancellationToken)
    {
        for (var time = 0; time < lab.Sizes.WarmUps; time++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (compiled, used) = Read();
            await workload.RunAsync(front, cancellationToken);
            var (compiledNow, usedNow) = Read();
            var share = Math.Max(0, compiledNow - compiled) / (usedNow - used);
            if (compiledNow > 0)
            {
                Say(string.Create(
                    CultureInfo.InvariantCulture, $"{workload.Key}: {front.Key} warms up, compiling {share:P0}"));
            }

            if (share < MuchToCompile && (time > 0 || compiledNow == 0))
            {
                return;
            }
        }

        (double Compiled, double Used) Read() =>
            (ProcessorTime.OfCompiler(front.Process), ProcessorTime.OfTree(front.Process));
    }

    private static async Task ProfileAsync(
        Lab lab, IFrontWorkload workload, IReadOnlyList<Front> fronts, CancellationToken cancellationToken)
    {
        foreach (var front in fronts.Where(front => workload.AppliesTo(front.Key)))
        {
            await WarmUpAsync(lab, workload, front, cancellationToken);
            var profile = await Profile.TakeAsync(front.Process, lab.FolderOf("perf.data"), async () =>
            {
                for (var round = 0; round < lab.Sizes.Rounds; round++)
                {
                    await workload.RunAsync(front, cancellationToken);
                }
            });
            await Console.Out.WriteLineAsync($"{workload.Title} through {front.Title}\n{profile}");
        }
    }

    private static void Add(Results results, IFrontWorkload workload, Front front, Measurement taken)
    {
        var (factor, unit) = workload.Table == Table.Transfers ? (1e3, "ms") : (1e6, "us");
        results.Add(workload.Key, front.Key, Comparison.Own, unit, taken.Front * factor);
        if (front.RegistryProcess is not null)
        {
            results.Add(workload.Key, front.Key, "registry-cpu", unit, taken.Registry * factor);
        }

        if (front.Redis is not null)
        {
            results.Add(workload.Key, front.Key, "redis-cpu", unit, taken.Redis * factor);
            results.Add(workload.Key, front.Key, "redis-calls", "calls", taken.RedisCalls);
        }

        results.Add(
            workload.Key, front.Key, Comparison.WithRedis, unit, (taken.Front + taken.Redis) * factor);
        var everything = taken.Front + taken.Registry + taken.Redis;
        results.Add(workload.Key, front.Key, Comparison.Everything, unit, everything * factor);
        results.Add(workload.Key, front.Key, "per-second", "1/s", taken.Count / taken.Elapsed);
    }

    private static bool IsWanted(BenchOptions options, string workload) =>
        options.Only.Count == 0 || options.Only.Contains(workload);

    private static void Say(string text) => Console.Error.WriteLine(string.Create(
        CultureInfo.InvariantCulture, $"bench: {Stopwatch.GetElapsedTime(Started).TotalSeconds:F0} s: {text}"));
}
