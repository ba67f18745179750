using Gateway.Server.Host.Hosting;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Server.Host.Hosting;

/// <summary>Which single events of the framework are not written, each beside one of its category that is.</summary>
public sealed class EventFilterProviderTests : IDisposable
{
    private const string Http2 = "Microsoft.AspNetCore.Server.Kestrel.Http2";

    private readonly LogSink _sink = new();
    private readonly FakeTimeProvider _clock = new();

    public void Dispose() => _sink.Dispose();

    [Theory]
    [InlineData("Microsoft.AspNetCore.DataProtection.KeyManagement.XmlKeyManager", 35, 15)]
    [InlineData("Microsoft.Extensions.Hosting.Internal.Host", 11, 9)]
    public void Event_ThatIsNoMishap_IsLeftOutAndItsNeighbourIsNot(string category, int silent, int heard)
    {
        using var provider = new EventFilterProvider(_sink, _clock);
        var logger = provider.CreateLogger(category);

        Write(logger, silent);
        Assert.Empty(_sink.Lines);
        Write(logger, heard);
        Assert.Equal([$"Critical {category} event {heard} "], _sink.Lines);
        Write(provider.CreateLogger("Another"), silent);
        Assert.Equal(2, _sink.Lines.Count);
    }

    [Fact]
    public void QueueExceeded_AnyNumberOfTimes_IsOneWarningAMinuteWithTheirNumber()
    {
        using var provider = new EventFilterProvider(_sink, _clock);
        var logger = provider.CreateLogger(Http2);

        for (var i = 0; i < 100; i++)
        {
            Write(logger, 60);
        }

        Assert.StartsWith(
            "Warning Gateway.Server.Host.Hosting.EventFilterProvider A client started HTTP/2 requests faster",
            Assert.Single(_sink.Lines), StringComparison.Ordinal);
        _clock.Advance(TimeSpan.FromMinutes(1));
        Write(logger, 60);
        Assert.Contains("since the last such line: 100.", _sink.Lines[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(61)] // Http2UnexpectedDataRemaining
    [InlineData(63)] // Http2UnexpectedConnectionQueueError
    public void KestrelsOwnFaults_AreWrittenEachTime(int id)
    {
        using var provider = new EventFilterProvider(_sink, _clock);
        var logger = provider.CreateLogger(Http2);

        Write(logger, id);
        Write(logger, id);

        Assert.Equal(Enumerable.Repeat($"Critical {Http2} event {id} ", 2), _sink.Lines);
    }

    [Fact]
    public async Task Gateway_Log_WritesThroughTheFilterOnly()
    {
        await using var upstream = await RecordingUpstream.StartAsync();
        await using var gateway = await TestGateway.StartAsync(upstream.Address);

        Assert.IsType<EventFilterProvider>(Assert.Single(gateway.Services.GetServices<ILoggerProvider>()));
    }

    private static void Write(ILogger logger, int id) =>
        logger.Log(LogLevel.Critical, new EventId(id), id, null, static (number, _) => $"event {number}");
}
