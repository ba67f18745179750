using System.Net;
using System.Net.Security;
using Gateway.Server.Host.Hosting;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Server.Host.Hosting;

/// <summary>What floods of HTTP/2 frames by strangers make of the log (RFC 9113, section 10.5).</summary>
public sealed class FloodTests
{
    private const byte Headers = 1;
    private const byte Priority = 2;
    private const byte Reset = 3;
    private const byte Settings = 4;
    private const byte Ping = 6;
    private const byte WindowUpdate = 8;
    private const byte EndOfHeaders = 4;
    private const byte EndOfRequest = 5; // with END_STREAM
    private const int FramesAWrite = 500;
    private const int MostBytes = 4 * 1024 * 1024;
    private const int MostConnections = 20;

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);

    // GET https://registry.test/v2/, which a stranger is answered 401 (RFC 7541: static table, literals not indexed).
    private static readonly byte[] Request =
        [0x82, 0x87, 0x04, 4, .. "/v2/"u8, 0x01, 13, .. "registry.test"u8];

    /// <param name="kind">What is sent again and again.</param>
    /// <param name="overflows">Whether Kestrel takes it for an event of its highest level.</param>
    [Theory]
    [InlineData("pings", false)]
    [InlineData("settings", false)]
    [InlineData("windows", false)]
    [InlineData("priorities", false)]
    [InlineData("broken requests", false)]
    [InlineData("requests", true)]
    [InlineData("requests and resets", true)]
    public async Task Flood_ByAStranger_WritesAWarningAtMost(string kind, bool overflows)
    {
        using var unfiltered = new LogSink();
        using var written = new LogSink();
        await using var upstream = await RecordingUpstream.StartAsync();
        await using var gateway = await TestGateway.StartAsync(
            upstream.Address,
            change: static options => options.Log.Level = LogLevel.Information,
            customize: builder => builder.Logging.AddProvider(unfiltered)
                .Services.AddSingleton<ILoggerProvider>(_ => new EventFilterProvider(written, new FakeTimeProvider())));

        // How fast a client has to be depends on the machine: until it was seen once.
        for (var i = 0; i < (overflows ? MostConnections : 2) && !unfiltered.Lines.Any(IsError); i++)
        {
            await using var stream = await gateway.ConnectAsync(SslApplicationProtocol.Http2);
            await FloodAsync(stream, kind, reads: i % 2 == 1);
        }

        using var honest = await gateway.SendAsync(HttpMethod.Get, "/v2/", "alice");
        Assert.Equal(HttpStatusCode.OK, honest.StatusCode);
        Assert.Equal(overflows, unfiltered.Lines.Any(IsError));
        if (overflows)
        {
            await Eventually.TrueAsync(() => written.Lines.Any(IsWarningOfFloods)); // told after the other sink
        }

        Assert.DoesNotContain(written.Lines, IsError);
        Assert.Equal(overflows ? 1 : 0, written.Lines.Count(IsWarningOfFloods));
    }

    private static bool IsWarningOfFloods(string line) =>
        line.Contains("A client started HTTP/2 requests", StringComparison.Ordinal);

    private static bool IsError(string line) =>
        line.StartsWith("Critical", StringComparison.Ordinal) || line.StartsWith("Error", StringComparison.Ordinal);

    // Ends when the gateway closes the connection, or at a bound.
    private static async Task FloodAsync(SslStream stream, string kind, bool reads)
    {
        using var limit = new CancellationTokenSource(Longest);
        var reading = Task.CompletedTask;
        try
        {
            await stream.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray(), limit.Token);
            await stream.WriteAsync(Frame(Settings, 0, 0, []), limit.Token);
            reading = reads ? stream.CopyToAsync(Stream.Null, limit.Token) : reading;
            var sent = 0;
            for (var id = 1u; sent < MostBytes; id += 2 * FramesAWrite)
            {
                byte[] frames =
                    [.. Enumerable.Range(0, FramesAWrite).SelectMany(i => Frames(kind, id + (2 * (uint)i)))];
                await stream.WriteAsync(frames, limit.Token);
                sent += frames.Length;
            }
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException)
        {
        }

        await limit.CancelAsync();
        await reading.ContinueWith(static _ => { }, TaskScheduler.Default);
    }

    private static byte[] Frames(string kind, uint id) => kind switch
    {
        "pings" => Frame(Ping, 0, 0, new byte[8]),
        "settings" => Frame(Settings, 0, 0, []),
        "windows" => Frame(WindowUpdate, 0, 0, [0, 0, 0, 1]),
        "priorities" => Frame(Priority, 0, 1, [0, 0, 0, 0, 1]),
        "broken requests" => [.. Frame(Headers, EndOfHeaders, id, Request), .. Frame(WindowUpdate, 0, id, new byte[4])],
        "requests" => Frame(Headers, EndOfRequest, id, Request),
        "requests and resets" => [.. Frame(Headers, EndOfRequest, id, Request), .. Frame(Reset, 0, id, [0, 0, 0, 8])],
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };

    private static byte[] Frame(byte type, byte flags, uint stream, byte[] payload) =>
    [
        0, (byte)(payload.Length >> 8), (byte)payload.Length, type, flags,
        (byte)(stream >> 24), (byte)(stream >> 16), (byte)(stream >> 8), (byte)stream, .. payload,
    ];
}
