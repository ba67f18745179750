using System.Collections.Concurrent;
using Gateway.Bench.Fronts;
using Gateway.Bench.Load;
using Gateway.Bench.Machine;
using Gateway.Bench.Report;

namespace Gateway.Bench.Studies;

/// <summary>
/// The memory of idle TLS connections, each of which has made one request, and what is left of closed ones.
/// </summary>
internal sealed class ConnectionStudy(Lab lab, FrontSet fronts) : IStudy
{
    private const int Concurrency = 32;

    private static readonly string[] Compared = [FrontSet.Nginx, FrontSet.Yarp, FrontSet.Gateway];

    /// <inheritdoc/>
    public string Key => "connections";

    /// <inheritdoc/>
    public async Task RunAsync(Results results, CancellationToken cancellationToken)
    {
        foreach (var key in Compared)
        {
            // A fresh server for each, so that nothing is left from other work.
            await using (var front = await fronts.StartAsync(key))
            {
                var growth = await GrowthAsync(front, lab.Sizes.IdleConnections, true, cancellationToken);
                results.Add(Key, key, "idle-connection", "KiB", growth / 1024.0 / lab.Sizes.IdleConnections);
            }

            await using (var front = await fronts.StartAsync(key))
            {
                var growth = await GrowthAsync(front, lab.Sizes.ClosedConnections, false, cancellationToken);
                results.Add(Key, key, "after-closed-connections", "MiB", growth / 1048576.0);
            }
        }
    }

    // In bytes, and at least one: a server that has given back more than it took has no negative memory.
    private async Task<double> GrowthAsync(Front front, int count, bool areKept, CancellationToken cancellationToken)
    {
        using var client = lab.CreateClient(front.Address);
        var authorization = (await front.AuthorizeAsync(client, ""))?.ToString();
        var trust = lab.Trust();
        await OpenAndCloseAsync(Concurrency);
        await Task.Delay(TimeSpan.FromSeconds(lab.Sizes.QuietSeconds), cancellationToken);
        var before = ProcessorTime.MemoryOfTree(front.Process);

        var connections = await OpenAsync(count);
        if (!areKept)
        {
            await CloseAsync(connections);
            await Task.Delay(TimeSpan.FromSeconds(2 * lab.Sizes.QuietSeconds), cancellationToken);
        }

        await Task.Delay(TimeSpan.FromSeconds(lab.Sizes.QuietSeconds), cancellationToken);
        var growth = ProcessorTime.MemoryOfTree(front.Process) - before;
        if (areKept)
        {
            await CloseAsync(connections);
        }

        return Math.Max(1, growth);

        async Task OpenAndCloseAsync(int few) => await CloseAsync(await OpenAsync(few));

        async Task<ConcurrentBag<TlsConnection>> OpenAsync(int many)
        {
            var opened = new ConcurrentBag<TlsConnection>();
            await CountedLoad.RunAsync(
                many,
                Concurrency,
                async (_, cancellation) =>
                {
                    var connection = await TlsConnection.OpenAsync(front.Address, trust, false, cancellation);
                    opened.Add(connection);
                    await connection.GetAsync("/v2/", front.Address.Authority, authorization, cancellation);
                },
                cancellationToken);
            return opened;
        }
    }

    private static async Task CloseAsync(ConcurrentBag<TlsConnection> connections)
    {
        foreach (var connection in connections)
        {
            await connection.DisposeAsync();
        }
    }
}
