using System.Net;
using Gateway.Server.Registry.Contents;
using Gateway.Server.Requests.Routing;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Server.Registry.Contents;

/// <summary>What is deleted through the gateway is served from memory no longer.</summary>
public sealed class ContentDeletionTests : IAsyncLifetime
{
    private ContentUpstream _upstream = null!;

    public async Task InitializeAsync() => _upstream = await ContentUpstream.StartAsync();

    public async Task DisposeAsync() => await _upstream.DisposeAsync();

    [Fact]
    public async Task Delete_ByDigest_IsForgottenUnderEveryNameAndNothingElseIs()
    {
        await using var gateway = await _upstream.StartGatewayAsync(
            static options => options.TagMaxAge = TimeSpan.FromSeconds(30),
            changeAll: options => options.Registries.Add(new RegistryOptions
            {
                Name = "second", // leads to the same upstream
                Prefix = "team-a/second",
                StripPrefix = true,
                Upstreams = [_upstream.Address],
            }));
        var path = _upstream.PutManifest("team-a/app", "one", "v1");
        var neighbour = _upstream.PutManifest("team-a/app", "two");
        var again = _upstream.PutManifest("library/app", "one");
        var mirrored = again.Replace("library", "team-a/second/library", StringComparison.Ordinal);
        string[] gone = [path, "/v2/team-a/app/manifests/v1", mirrored];
        string[] all = [.. gone, neighbour];
        foreach (var one in all)
        {
            Assert.StartsWith("200", await ReadAsync(gateway, one), StringComparison.Ordinal);
        }

        using var deleted = await gateway.SendAsync(HttpMethod.Delete, path, "admin");

        Assert.Equal(HttpStatusCode.Accepted, deleted.StatusCode);
        foreach (var one in gone)
        {
            Assert.StartsWith("404", await ReadAsync(gateway, one), StringComparison.Ordinal);
        }

        Assert.StartsWith("200", await ReadAsync(gateway, neighbour), StringComparison.Ordinal);
        Assert.Equal(1, _upstream.Count(neighbour)); // from memory
    }

    [Fact]
    public async Task Delete_OfABlob_IsForgotten()
    {
        await using var gateway = await _upstream.StartGatewayAsync();
        var path = _upstream.PutBlob("team-a/app", [1, 2, 3]);
        await ReadAsync(gateway, path);

        using var deleted = await gateway.SendAsync(HttpMethod.Delete, path, "admin");

        Assert.Equal(HttpStatusCode.Accepted, deleted.StatusCode);
        Assert.StartsWith("404", await ReadAsync(gateway, path), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Delete_ByTag_ForgetsTheWholeRepository()
    {
        await using var gateway = await _upstream.StartGatewayAsync();
        var path = _upstream.PutManifest("team-a/app", "one", "v1");
        var neighbour = _upstream.PutManifest("team-a/other", "two");
        await ReadAsync(gateway, path);
        await ReadAsync(gateway, neighbour);

        using var deleted = await gateway.SendAsync(HttpMethod.Delete, "/v2/team-a/app/manifests/v1", "admin");

        Assert.StartsWith("404", await ReadAsync(gateway, path), StringComparison.Ordinal); // this upstream deletes it
        await ReadAsync(gateway, neighbour);
        Assert.Equal(1, _upstream.Count(neighbour));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Fill_BegunBeforeADelete_IsNotKept(bool byTag)
    {
        await using var gateway = await _upstream.StartGatewayAsync(
            static options => options.TagMaxAge = TimeSpan.FromSeconds(30));
        var digest = _upstream.PutManifest("team-a/app", "one", "v1");
        var path = byTag ? "/v2/team-a/app/manifests/v1" : digest;
        var (read, answer) = (new TaskCompletionSource(), new TaskCompletionSource());
        _upstream.Late = async _ =>
        {
            read.TrySetResult();
            await answer.Task;
        };
        var slow = ReadAsync(gateway, path);
        await read.Task;

        using var deleted = await gateway.SendAsync(HttpMethod.Delete, digest, "admin");
        Assert.Equal(HttpStatusCode.Accepted, deleted.StatusCode);
        answer.SetResult();

        Assert.StartsWith("200", await slow, StringComparison.Ordinal); // it asked before
        Assert.StartsWith("404", await ReadAsync(gateway, path), StringComparison.Ordinal);
        Assert.Equal(0, gateway.Services.GetRequiredService<ContentStore>().Count);
    }

    [Fact]
    public async Task Fill_WhileSomethingElseIsDeleted_IsKept()
    {
        await using var gateway = await _upstream.StartGatewayAsync();
        var path = _upstream.PutManifest("team-a/app", "one");
        var other = _upstream.PutManifest("team-a/app", "two");
        var (read, answer) = (new TaskCompletionSource(), new TaskCompletionSource());
        _upstream.Before = async context =>
        {
            if (context.Request.Path == path)
            {
                read.TrySetResult();
                await answer.Task;
            }
        };
        var slow = ReadAsync(gateway, path);
        await read.Task;

        using var deleted = await gateway.SendAsync(HttpMethod.Delete, other, "admin");
        answer.SetResult();
        await slow;
        await ReadAsync(gateway, path);

        Assert.Equal(1, _upstream.Count(path));
    }

    [Fact]
    public async Task Fill_OfATagElsewhere_IsKeptUnlessItIsWhatWasDeleted()
    {
        await using var gateway = await _upstream.StartGatewayAsync(
            static options => options.TagMaxAge = TimeSpan.FromSeconds(30));
        var digest = _upstream.PutManifest("team-a/app", "one", "v1");
        _upstream.PutManifest("public/same", "one", "v1");
        _upstream.PutManifest("public/other", "two", "v1");
        var answer = new TaskCompletionSource();
        var read = 0;
        _upstream.Late = async _ =>
        {
            Interlocked.Increment(ref read);
            await answer.Task;
        };
        string[] tags = ["/v2/public/same/manifests/v1", "/v2/public/other/manifests/v1"];
        var slow = tags.Select(path => ReadAsync(gateway, path)).ToList();
        await Eventually.TrueAsync(() => Volatile.Read(ref read) == 2);

        using var deleted = await gateway.SendAsync(HttpMethod.Delete, digest, "admin");
        answer.SetResult();
        await Task.WhenAll(slow);

        Assert.StartsWith("404", await ReadAsync(gateway, tags[0]), StringComparison.Ordinal);
        Assert.StartsWith("200", await ReadAsync(gateway, tags[1]), StringComparison.Ordinal);
        Assert.Equal(1, _upstream.Count(tags[1]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Delete_WithoutAnAnswer_KeepsNothingThatIsReadMeanwhile(bool clientLeaves)
    {
        await using var gateway = await _upstream.StartGatewayAsync();
        var path = _upstream.PutManifest("team-a/app", "one");
        var (begun, deleted) = (new TaskCompletionSource(), new TaskCompletionSource());
        _upstream.Before = async context =>
        {
            if (HttpMethods.IsDelete(context.Request.Method))
            {
                begun.TrySetResult();
                if (!clientLeaves)
                {
                    context.Abort(); // its answer is lost, and it deletes all the same
                }

                await deleted.Task;
            }
        };
        using var leaving = new CancellationTokenSource();
        using var client = gateway.CreateClient();
        using var request = new HttpRequestMessage(HttpMethod.Delete, $"https://{TestGateway.Host}{path}");
        request.Headers.TryAddWithoutValidation("Authorization", TestGateway.Basic("admin"));
        var deleting = client.SendAsync(request, leaving.Token);
        await begun.Task;
        if (clientLeaves)
        {
            await leaving.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => deleting);
        }
        else
        {
            using var failed = await deleting;
            Assert.Equal(HttpStatusCode.BadGateway, failed.StatusCode);
        }

        Assert.StartsWith("200", await ReadAsync(gateway, path), StringComparison.Ordinal);
        deleted.SetResult();

        await Eventually.TrueAsync(async () => (await ReadAsync(gateway, path)).StartsWith(
            "404", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Delete_ThatWasReadAgainMeanwhile_IsForgottenWithItsAnswer()
    {
        await using var gateway = await _upstream.StartGatewayAsync();
        var path = _upstream.PutManifest("team-a/app", "one");
        await ReadAsync(gateway, path);
        _upstream.Before = async context =>
        {
            if (HttpMethods.IsDelete(context.Request.Method))
            {
                // Not deleted yet: it is kept anew.
                Assert.StartsWith("200", await ReadAsync(gateway, path), StringComparison.Ordinal);
            }
        };

        using var deleted = await gateway.SendAsync(HttpMethod.Delete, path, "admin");

        Assert.Equal(2, _upstream.Count(path, "GET"));
        Assert.StartsWith("404", await ReadAsync(gateway, path), StringComparison.Ordinal);
    }

    private static Task<string> ReadAsync(TestGateway gateway, string path) =>
        ContentCacheTests.ReadAsync(gateway, path, "admin");
}
