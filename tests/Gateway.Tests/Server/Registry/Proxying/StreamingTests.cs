using System.Net;
using System.Text;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Server.Registry.Proxying;

/// <summary>Bodies stream both ways, of any size and for any time, and end with whoever ends them.</summary>
public sealed class StreamingTests : IAsyncLifetime
{
    private const string Blob =
        "/v2/team-a/app/blobs/sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    private string Upload => _gateway.UploadTarget("alice");

    private RecordingUpstream _upstream = null!;
    private TestGateway _gateway = null!;

    public async Task InitializeAsync()
    {
        _upstream = await RecordingUpstream.StartAsync();
        _upstream.ReadsBodies = false;
        _gateway = await TestGateway.StartAsync(_upstream.Address);
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task Upload_InProgress_ReachesTheUpstreamBeforeItsEnd()
    {
        var arrived = new TaskCompletionSource();
        _upstream.Respond = async context =>
        {
            var buffer = new byte[64 * 1024];
            await context.Request.Body.ReadExactlyAsync(buffer);
            arrived.SetResult();
            await context.Request.Body.CopyToAsync(Stream.Null);
            context.Response.StatusCode = 204;
        };
        var rest = new TaskCompletionSource();
        var content = new WriterContent(async stream =>
        {
            await stream.WriteAsync(new byte[128 * 1024]);
            await stream.FlushAsync();
            await rest.Task;
            await stream.WriteAsync(new byte[128 * 1024]);
        });

        var sending = _gateway.SendAsync(HttpMethod.Patch, Upload, "alice", content);
        await arrived.Task.WaitAsync(Soon); // the client has sent only half: a buffering gateway would wait for ever
        rest.SetResult();
        using var answer = await sending;

        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
    }

    [Fact]
    public async Task Download_InProgress_ReachesTheClientBeforeItsEnd()
    {
        var rest = new TaskCompletionSource();
        _upstream.Respond = async context =>
        {
            await context.Response.WriteAsync("first");
            await context.Response.Body.FlushAsync();
            await rest.Task;
            await context.Response.WriteAsync("last");
        };

        using var answer = await _gateway.SendAsync(HttpMethod.Get, Blob, "alice");
        await using var stream = await answer.Content.ReadAsStreamAsync();
        var buffer = new byte[5];
        await stream.ReadExactlyAsync(buffer).AsTask().WaitAsync(Soon);
        rest.SetResult();

        Assert.Equal("first", Encoding.ASCII.GetString(buffer));
        Assert.Equal("last", await new StreamReader(stream).ReadToEndAsync());
    }

    [Fact]
    public async Task Download_SmallAndInPieces_MayTakeLongerThanItsTimeOutInAll()
    {
        var body = new byte[40 * 1024];
        _upstream.Respond = async context =>
        {
            context.Response.ContentLength = body.Length;
            for (var i = 0; i < 4; i++)
            {
                await context.Response.Body.WriteAsync(body.AsMemory(0, body.Length / 4));
                await context.Response.Body.FlushAsync();
                await Task.Delay(TimeSpan.FromSeconds(1.5)); // of the four that it may be silent
            }
        };
        await using var gateway = await TestGateway.StartAsync(
            _upstream.Address,
            change: static options => options.Registries[0].BlobActivityTimeout = TimeSpan.FromSeconds(4));

        using var answer = await gateway.SendAsync(HttpMethod.Get, Blob, "alice");

        Assert.Equal(body, await answer.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Upload_OfAHundredMebibytes_PassesWhileTheManifestAndOtherBodiesStayCapped()
    {
        long received = 0;
        _upstream.Respond = async context =>
        {
            var buffer = new byte[1024 * 1024];
            int read;
            while ((read = await context.Request.Body.ReadAsync(buffer)) > 0)
            {
                received += read;
            }

            context.Response.StatusCode = 201;
        };
        const int Size = 100 * 1024 * 1024;

        using var blob = await _gateway.SendAsync(
            HttpMethod.Patch, Upload, "alice", new ByteArrayContent(new byte[Size]));
        using var manifest = await _gateway.SendAsync(
            HttpMethod.Put, "/v2/team-a/app/manifests/v1", "alice",
            new ByteArrayContent(new byte[(4 * 1024 * 1024) + 1]));
        using var fitting = await _gateway.SendAsync(
            HttpMethod.Put, "/v2/team-a/app/manifests/v1", "alice", new ByteArrayContent(new byte[4 * 1024 * 1024]));

        Assert.Equal(HttpStatusCode.Created, blob.StatusCode);
        Assert.True(received >= Size);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, manifest.StatusCode);
        await UpstreamAnswerTests.AssertErrorAsync(manifest, "MANIFEST_INVALID", "the manifest is larger than 4 MiB");
        Assert.Equal(HttpStatusCode.Created, fitting.StatusCode);
    }

    [Fact]
    public async Task Manifest_TooLargeWithoutSayingSo_NeverReachesTheUpstreamWhole()
    {
        var complete = false;
        var ended = new TaskCompletionSource();
        _upstream.Respond = async context =>
        {
            try
            {
                await context.Request.Body.CopyToAsync(Stream.Null);
                complete = true;
            }
            finally
            {
                ended.SetResult();
            }
        };

        try
        {
            using var answer = await _gateway.SendAsync(
                HttpMethod.Put, "/v2/team-a/app/manifests/v1", "alice",
                new WriterContent(static async stream =>
                {
                    for (var i = 0; i < 5; i++)
                    {
                        await stream.WriteAsync(new byte[1024 * 1024]);
                    }
                }));
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        }
        catch (HttpRequestException)
        {
            // Kestrel closes once the limit is passed; whether the client reads the 413 first is a race of its own.
        }

        await ended.Task.WaitAsync(Soon);
        Assert.False(complete);
    }

    [Fact]
    public async Task Client_ThatDisconnects_CancelsTheUpstreamRequest()
    {
        var started = new TaskCompletionSource();
        var cancelled = new TaskCompletionSource();
        _upstream.Respond = async context =>
        {
            context.RequestAborted.Register(() => cancelled.TrySetResult());
            await context.Response.WriteAsync("first");
            await context.Response.Body.FlushAsync();
            started.SetResult();
            await Task.Delay(Soon, context.RequestAborted);
        };

        var answer = await _gateway.SendAsync(HttpMethod.Get, Blob, "alice");
        await started.Task.WaitAsync(Soon);
        answer.Dispose();

        await cancelled.Task.WaitAsync(Soon);
    }

    [Theory]
    [InlineData(null, "HTTP/1.1 401")]
    [InlineData("bob", "HTTP/1.1 403")]
    [InlineData("alice", "HTTP/1.1 100")]
    public async Task ExpectContinue_OfAnUpload_IsAnsweredOnlyAfterAnAllow(string? user, string expected)
    {
        _upstream.ReadsBodies = true; // asking for the body is what makes it say "100 Continue" itself
        var authorization = user is null ? "" : $"Authorization: {TestGateway.Basic(user)}\r\n";

        var answer = await _gateway.SendRawAsync(
            $"PATCH {Upload} HTTP/1.1\r\nHost: registry.test\r\n{authorization}Content-Length: 5\r\n"
            + "Expect: 100-continue\r\nConnection: close\r\n\r\n");

        Assert.StartsWith(expected, answer, StringComparison.Ordinal);
        Assert.Equal(user == "alice", answer.Contains("100 Continue", StringComparison.Ordinal));
    }

    private sealed class WriterContent(Func<Stream, Task> write) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => write(stream);

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
