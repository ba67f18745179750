using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Gateway.EndToEndTests.Support;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Redis;
using Gateway.Server.Store.State;
using Gateway.Server.Store.State.Sqlite;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.EndToEndTests.State;

/// <summary>
/// 10,000 credentials while the process that keeps them is killed at any moment: none that was answered is lost.
/// </summary>
public sealed class KillTests
{
    private const int Wanted = 10_000;
    private const int LeastKills = 15;

    // Fixed, so that a failure comes again; the moments themselves still depend on the machine.
    private readonly Random _random = new(20261);

    [Fact]
    public async Task Sqlite_ProcessKilledAtRandomMoments_LosesNothingThatWasAnswered()
    {
        var folder = Directory.CreateTempSubdirectory("gateway-kill-").FullName;
        try
        {
            var answered = new List<string>();
            var kills = 0;
            while (answered.Count < Wanted || kills < LeastKills)
            {
                await MakeUntilKilledAsync(folder, answered, first: kills * 1_000_000, _random.Next(1, 1200));
                kills++;
                await AssertAllThereAsync(folder, answered);
            }

            Assert.Equal(answered.Count, answered.Distinct().Count());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Redis_ServerKilledAtRandomMoments_LosesNothingThatWasAnswered()
    {
        await using var server = new RedisProcess();
        await server.StartAsync();
        var options = new RedisOptions { Server = server.Address, Timeout = TimeSpan.FromSeconds(2) };
        await using var store = Open(options);
        var answered = new ConcurrentBag<string>();
        using var stop = new CancellationTokenSource();
        var making = Task.WhenAll(
            Enumerable.Range(0, 16).Select(maker => Task.Run(() => MakeAsync(store, answered, maker, stop.Token))));
        var kills = 0;
        for (; answered.Count < Wanted || kills < LeastKills; kills++)
        {
            var until = answered.Count + _random.Next(1, 1200);
            while (answered.Count < until)
            {
                await Task.Delay(1);
            }

            await server.KillAsync();
            await server.StartAsync();
        }

        await stop.CancelAsync();
        await making;
        await server.KillAsync();
        await server.StartAsync();

        await using var again = Open(options);
        var kept = await ListAsync(again);
        var lost = answered.Where(id => !kept.Contains(id)).ToList();
        Assert.True(lost.Count == 0, $"{lost.Count} of {answered.Count} were lost, such as {lost.FirstOrDefault()}");
    }

    private static async Task MakeUntilKilledAsync(string folder, List<string> answered, int first, int count)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(KillTests).Assembly.Location])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        start.Environment[CredentialMaker.FolderVariable] = folder;
        start.Environment[CredentialMaker.FirstVariable] = first.ToString(CultureInfo.InvariantCulture);
        using var process = Process.Start(start)!;
        var before = answered.Count;
        var isKilled = false;
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            answered.Add(line); // also what it had written before it died
            if (!isKilled && answered.Count - before >= count)
            {
                process.Kill(); // SIGKILL
                isKilled = true;
            }
        }

        await process.WaitForExitAsync();
        Assert.Equal(137, process.ExitCode);
    }

    private static async Task AssertAllThereAsync(string folder, List<string> answered)
    {
        await using var store = SqliteCredentialStore.Open(folder);
        var kept = (await store.ListAsync(null, default)).Select(static credential => credential.Id).ToHashSet();
        var lost = answered.Where(id => !kept.Contains(id)).ToList();
        Assert.True(lost.Count == 0, $"{lost.Count} of {answered.Count} were lost, such as {lost.FirstOrDefault()}");
        Assert.NotNull(await store.FindAsync(SecretHash.Of(answered[^1]), default));
        using var session = SqliteSession.Open(Path.Combine(folder, SqliteDatabase.FileName), SqliteOpenMode.ReadOnly);
        Assert.Equal(["ok"], session.Query("PRAGMA integrity_check", static row => row.GetString(0)));
    }

    private static async Task MakeAsync(
        RedisCredentialStore store, ConcurrentBag<string> answered, int maker, CancellationToken stop)
    {
        for (var i = 0; !stop.IsCancellationRequested; i++)
        {
            var id = string.Create(CultureInfo.InvariantCulture, $"c{maker}-{i}");
            try
            {
                await store.AddAsync(CredentialMaker.Make(id), default);
                answered.Add(id);
            }
            catch (StateException)
            {
                // Not answered: it may be there or not. The gateway would have answered 503, and shown no token.
                await Task.Delay(5, CancellationToken.None);
            }
        }
    }

    private static async Task<HashSet<string>> ListAsync(RedisCredentialStore store)
    {
        while (true)
        {
            try
            {
                return [.. (await store.ListAsync(null, default)).Select(static credential => credential.Id)];
            }
            catch (StateException)
            {
                await Task.Delay(50); // it reads its file still
            }
        }
    }

    private static RedisCredentialStore Open(RedisOptions options) => new(
        new RedisConnection(options, TimeProvider.System, NullLogger<RedisConnection>.Instance),
        options,
        TimeProvider.System,
        NullLogger<RedisCredentialStore>.Instance,
        ownsConnection: true);
}
