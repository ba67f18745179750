using Gateway.Server.Host.Hosting;
using Gateway.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Server.Host.Hosting;

/// <summary>When memory is given back: after many connections were closed, and not before they are.</summary>
public sealed class MemoryReturnTests
{
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public async Task Return_AfterManyWereClosed_HappensOnceAndNotForFewer()
    {
        using var running = new RunningRequests(_clock);
        using var memory = new MemoryReturn(running, _clock);
        await memory.StartAsync(CancellationToken.None);
        Change(memory.Opened, 2 * MemoryReturn.Many);

        Change(memory.Closed, MemoryReturn.Many - 1);
        _clock.Advance(MemoryReturn.Calm);
        Assert.Equal(0, memory.Returns);

        Change(memory.Closed, 1);
        await Eventually.TrueAsync(() =>
        {
            _clock.Advance(MemoryReturn.Calm); // again and again: it begins to wait on a thread of its own
            return memory.Returns > 0;
        });

        // The rest is counted from here on.
        Change(memory.Closed, MemoryReturn.Many - 1);
        _clock.Advance(MemoryReturn.Calm);
        Assert.Equal(1, memory.Returns);
        Change(memory.Closed, 1);
        await Eventually.TrueAsync(() =>
        {
            _clock.Advance(MemoryReturn.Calm);
            return memory.Returns == 2;
        });
        Assert.Equal(0, memory.Open);
        await memory.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Connections_ThroughTheListener_AreCountedWhileTheyAreOpen()
    {
        await using var upstream = await RecordingUpstream.StartAsync();
        await using var gateway = await TestGateway.StartAsync(upstream.Address);
        var memory = (MemoryReturn)gateway.Services.GetService(typeof(MemoryReturn))!;

        await using (await gateway.ConnectAsync())
        {
            await using var other = await gateway.ConnectAsync();
            await Eventually.TrueAsync(() => memory.Open == 2);
        }

        await Eventually.TrueAsync(() => memory.Open == 0);
    }

    private static void Change(Action change, int times)
    {
        for (var i = 0; i < times; i++)
        {
            change();
        }
    }
}
