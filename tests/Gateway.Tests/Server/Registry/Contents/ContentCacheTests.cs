using System.Net;
using System.Security.Cryptography;
using System.Text;
using Gateway.Server.Host.Hosting;
using Gateway.Server.Registry.Contents;
using Gateway.Server.Requests.Routing;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Server.Registry.Contents;

/// <summary>What is answered from memory, to whom, and for how long.</summary>
public sealed class ContentCacheTests : IAsyncLifetime
{
    private ContentUpstream _upstream = null!;

    public async Task InitializeAsync() => _upstream = await ContentUpstream.StartAsync();

    public async Task DisposeAsync() => await _upstream.DisposeAsync();

    [Fact]
    public async Task ManifestAndBlob_AskedAgain_AreAnsweredFromMemoryByteForByteWithTheSameHeaders()
    {
        await using var gateway = await _upstream.StartGatewayAsync();
        var blob = RandomNumberGenerator.GetBytes(64 * 1024);
        string[] paths = [_upstream.PutManifest("team-a/app", "one"), _upstream.PutBlob("team-a/app", blob)];
        foreach (var path in paths)
        {
            var coldHead = await ReadAsync(gateway, path, "bob", HttpMethod.Head);
            var cold = await ReadAsync(gateway, path, "bob");
            var warm = await ReadAsync(gateway, path, "alice");
            var warmHead = await ReadAsync(gateway, path, "alice", HttpMethod.Head);

            Assert.Equal(cold, warm);
            Assert.Equal(coldHead, warmHead);
            Assert.Equal(1, _upstream.Count(path, "GET"));
            // Of a blob always: clients that push leave out what is there.
            Assert.Equal(path.Contains("/blobs/", StringComparison.Ordinal) ? 2 : 1, _upstream.Count(path, "HEAD"));
        }
    }

    [Fact]
    public async Task Default_WithoutTheSection_ForwardsEveryRequest()
    {
        await using var gateway = await TestGateway.StartAsync(_upstream.Address);
        var path = _upstream.PutManifest("team-a/app", "one");

        await ReadAsync(gateway, path, "bob");
        await ReadAsync(gateway, path, "bob");

        Assert.Equal(2, _upstream.Count(path));
    }

    [Fact]
    public async Task Registry_ThatOptsOut_IsNotKept()
    {
        await using var gateway = await _upstream.StartGatewayAsync(
            changeAll: static options => options.Registries[0].CacheContent = false);
        var path = _upstream.PutManifest("team-a/app", "one");

        await ReadAsync(gateway, path, "bob");
        await ReadAsync(gateway, path, "bob");

        Assert.Equal(2, _upstream.Count(path));
    }

    [Fact]
    public async Task Content_OfOneRepository_IsGivenToNoReaderOfAnother()
    {
        await using var gateway = await _upstream.StartGatewayAsync();
        var path = _upstream.PutManifest("team-a/app", "secret");
        var other = path.Replace("team-a/app", "public/app", StringComparison.Ordinal);
        var cold = await ReadAsync(gateway, path, "alice");

        Assert.StartsWith("404", await ReadAsync(gateway, other, "alice"), StringComparison.Ordinal); // not of there
        Assert.StartsWith("404", await ReadAsync(gateway, other, TestGateway.Nobody), StringComparison.Ordinal);
        Assert.StartsWith("401", await ReadAsync(gateway, path, null), StringComparison.Ordinal);
        Assert.StartsWith(
            "403",
            await ReadAsync(gateway, path.Replace("team-a", "team-b", StringComparison.Ordinal), "bob"),
            StringComparison.Ordinal);
        Assert.Equal(cold, await ReadAsync(gateway, path, "bob")); // the neighbour: a reader of that repository
        Assert.Equal(1, _upstream.Count(path));
        Assert.Equal(2, _upstream.Count(other));
    }

    [Fact]
    public async Task Content_OfAnotherRegistryWithTheSameNames_IsNotMixedUp()
    {
        await using var second = await ContentUpstream.StartAsync();
        await using var gateway = await _upstream.StartGatewayAsync(changeAll: options => options.Registries.Add(
            new RegistryOptions
            {
                Name = "mirror",
                Prefix = "team-a/mirror",
                StripPrefix = true,
                Upstreams = [second.Address],
            }));
        var body = ContentUpstream.ManifestOf("one");
        var digest = ContentUpstream.DigestOf(body);
        _upstream.Put($"/v2/team-a/app/manifests/{digest}", body, ContentUpstream.ManifestType, digest);

        Assert.StartsWith(
            "200", await ReadAsync(gateway, $"/v2/team-a/app/manifests/{digest}", "bob"), StringComparison.Ordinal);
        Assert.StartsWith(
            "404",
            await ReadAsync(gateway, $"/v2/team-a/mirror/team-a/app/manifests/{digest}", "bob"),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Accept", "application/json", "text/plain")]
    [InlineData("Accept-Encoding", "gzip", "identity")]
    public async Task Content_NegotiatedOtherwise_IsAnotherOne(string header, string one, string two)
    {
        await using var gateway = await _upstream.StartGatewayAsync();
        var path = _upstream.PutManifest("team-a/app", "one");

        await ReadAsync(gateway, path, "bob", null, (header, one));
        await ReadAsync(gateway, path, "bob", null, (header, two));
        await ReadAsync(gateway, path, "bob", null, (header, one));
        await ReadAsync(gateway, path, "bob", null, (header, two));

        Assert.Equal(2, _upstream.Count(path));
        Assert.Equal([one, two], _upstream.Requests.Select(request => request.Headers[header]));
    }

    [Theory]
    [InlineData("Range", "bytes=0-3")]
    [InlineData("If-None-Match", "\"x\"")]
    [InlineData("If-Match", "\"x\"")]
    [InlineData("If-Modified-Since", "Mon, 30 Nov 2026 00:00:00 GMT")]
    [InlineData("If-Unmodified-Since", "Mon, 30 Nov 2026 00:00:00 GMT")]
    [InlineData("If-Range", "\"x\"")]
    [InlineData("Cache-Control", "no-cache")]
    [InlineData("Pragma", "no-cache")]
    public async Task Request_ForMoreThanTheContent_IsForwarded(string header, string value)
    {
        await using var gateway = await _upstream.StartGatewayAsync();
        var path = _upstream.PutManifest("team-a/app", "one");
        await ReadAsync(gateway, path, "bob");

        await ReadAsync(gateway, path, "bob", null, (header, value));

        Assert.Equal(2, _upstream.Count(path));
    }

    [Fact]
    public async Task Blob_BeyondTheLimit_IsForwardedEachTime()
    {
        await using var gateway = await _upstream.StartGatewayAsync();
        var path = _upstream.PutBlob("team-a/app", RandomNumberGenerator.GetBytes((64 * 1024) + 1));

        await ReadAsync(gateway, path, "bob");
        await ReadAsync(gateway, path, "bob");

        Assert.Equal(2, _upstream.Count(path));
    }

    [Fact]
    public async Task ColdRequests_AThousandAtOnce_AreOneForTheUpstream()
    {
        await using var gateway = await _upstream.StartGatewayAsync();
        var path = _upstream.PutManifest("team-a/app", "one");
        var warmUp = _upstream.PutManifest("team-a/app", "warm up");
        await ReadAsync(gateway, warmUp, "bob"); // the password is verified
        var running = gateway.Services.GetRequiredService<RunningRequests>();
        var answer = new TaskCompletionSource();
        _upstream.Before = _ => answer.Task;
        var clients = Enumerable.Range(0, 10).Select(_ => gateway.CreateClient()).ToList();

        var all = Enumerable.Range(0, 1000).Select(i => Task.Run(() => GetAsync(clients[i % 10], path))).ToList();
        await Eventually.TrueAsync(() => running.Count == 1000, TimeSpan.FromMinutes(2));
        answer.SetResult();
        var answers = await Task.WhenAll(all);

        Assert.Equal(1, _upstream.Count(path));
        Assert.Equal([answers[0]], answers.Distinct());
        Assert.StartsWith("200", answers[0], StringComparison.Ordinal);
        clients.ForEach(static client => client.Dispose());

        static async Task<string> GetAsync(HttpClient client, string path)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"https://{TestGateway.Host}{path}")
            {
                Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };
            request.Headers.TryAddWithoutValidation("Authorization", TestGateway.Basic("bob"));
            using var answer = await client.SendAsync(request);
            return $"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}";
        }
    }

    [Fact]
    public async Task Waiting_WhileTheLeadersClientLeaves_AnotherLeads()
    {
        await using var gateway = await _upstream.StartGatewayAsync();
        var path = _upstream.PutManifest("team-a/app", "one");
        var answer = new TaskCompletionSource();
        _upstream.Before = _ => answer.Task;
        using var leaving = new CancellationTokenSource();
        using var client = gateway.CreateClient();
        var leader = SendAsync(client, path, leaving.Token);
        await Eventually.TrueAsync(() => _upstream.Count(path) == 1);
        var running = gateway.Services.GetRequiredService<RunningRequests>();
        var waiting = Enumerable.Range(0, 5).Select(_ => ReadAsync(gateway, path, "bob")).ToList();
        await Eventually.TrueAsync(() => running.Count == 6);

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leader);
        await Eventually.TrueAsync(() => _upstream.Count(path) == 2);
        answer.SetResult();

        Assert.All(await Task.WhenAll(waiting), static one => Assert.StartsWith("200", one, StringComparison.Ordinal));
        Assert.Equal(2, _upstream.Count(path));
    }

    [Fact]
    public async Task Waiting_ForALeaderThatHangs_EndsSoonAndNobodyElseWaits()
    {
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var gateway = await _upstream.StartGatewayAsync(
            customize: builder => builder.Services.AddSingleton<TimeProvider>(clock));
        var path = _upstream.PutManifest("team-a/app", "one");
        var answer = new TaskCompletionSource();
        var asked = 0;
        _upstream.Before = _ => Interlocked.Increment(ref asked) == 1 ? answer.Task : Task.CompletedTask;
        var leader = ReadAsync(gateway, path, "bob");
        await Eventually.TrueAsync(() => _upstream.Count(path) == 1);
        var running = gateway.Services.GetRequiredService<RunningRequests>();
        var waiting = ReadAsync(gateway, path, "bob");
        await Eventually.TrueAsync(() => running.Count == 2);

        await Eventually.TrueAsync(() =>
        {
            clock.Advance(TimeSpan.FromSeconds(5)); // it may not have begun to wait yet
            return waiting.IsCompleted;
        });
        Assert.StartsWith("200", await waiting, StringComparison.Ordinal);
        Assert.StartsWith("200", await ReadAsync(gateway, path, "bob"), StringComparison.Ordinal); // without a wait

        answer.SetResult();
        Assert.StartsWith("200", await leader, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Client_ThatReadsNothingOfWhatIsInMemory_IsCutOffAndOneThatReadsSlowlyIsNot(bool isWarm)
    {
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var gateway = await _upstream.StartGatewayAsync(
            customize: builder => builder.Services.AddSingleton<TimeProvider>(clock));
        var path = _upstream.PutManifest("team-a/app", new string('x', 1024 * 1024));
        if (isWarm)
        {
            await ReadAsync(gateway, path, "bob");
        }

        using var client = gateway.CreateClient();
        using var slow = await BeginAsync(client, path);
        await using var body = await slow.Content.ReadAsStreamAsync();
        var buffer = new byte[256 * 1024];
        var length = 0;
        for (var pause = 0; pause < 3; pause++)
        {
            await body.ReadExactlyAsync(buffer);
            length += buffer.Length;
            clock.Advance(ContentMiddleware.Patience / 2);
        }

        for (int read; (read = await body.ReadAsync(buffer)) > 0;)
        {
            length += read;
        }

        Assert.Equal(slow.Content.Headers.ContentLength, length);
        if (!isWarm)
        {
            _upstream.Remove(path);
            path = _upstream.PutManifest("team-a/app", new string('y', 1024 * 1024)); // another one leads
        }

        using var idle = await BeginAsync(client, path);
        var running = gateway.Services.GetRequiredService<RunningRequests>();
        await Eventually.TrueAsync(() =>
        {
            clock.Advance(ContentMiddleware.Patience); // it may not wait for the client yet
            return running.Count == 0;
        });

        var line = await AuditRecords.OfAsync(gateway, idle);
        Assert.Equal("true", line.Text("aborted"));
        Assert.True(
            long.Parse(line.Text("bytesOut")!, System.Globalization.CultureInfo.InvariantCulture)
            < idle.Content.Headers.ContentLength);
        await using var rest = await idle.Content.ReadAsStreamAsync();
        await Assert.ThrowsAnyAsync<IOException>(() => rest.CopyToAsync(Stream.Null));
    }

    // Over HTTP/2, whose windows hold back what the client does not read; the systems' buffers would take all of it.
    private static async Task<HttpResponseMessage> BeginAsync(HttpClient client, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"https://{TestGateway.Host}{path}")
        {
            Version = System.Net.HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.TryAddWithoutValidation("Authorization", TestGateway.Basic("bob"));
        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    [Fact]
    public async Task Waiting_ForWhatIsTooLarge_EndsWithItsHeadersAndNotWithItsBody()
    {
        await using var gateway = await _upstream.StartGatewayAsync();
        var body = RandomNumberGenerator.GetBytes(256 * 1024);
        var path = _upstream.PutBlob("team-a/app", body);
        var (headers, rest) = (new TaskCompletionSource(), new TaskCompletionSource());
        _upstream.Before = async context =>
        {
            await headers.Task;
            context.Response.ContentLength = body.Length;
            context.Response.ContentType = "application/octet-stream";
            await context.Response.StartAsync();
            await context.Response.Body.FlushAsync();
            await rest.Task;
        };
        var running = gateway.Services.GetRequiredService<RunningRequests>();
        var requests = Enumerable.Range(0, 4).Select(_ => gateway.SendAsync(HttpMethod.Get, path, "bob")).ToList();
        await Eventually.TrueAsync(() => running.Count == 4 && _upstream.Count(path) == 1);

        headers.SetResult();

        await Eventually.TrueAsync(() => _upstream.Count(path) == 4); // while no body has come
        var late = gateway.SendAsync(HttpMethod.Get, path, "bob");
        await Eventually.TrueAsync(() => _upstream.Count(path) == 5); // nobody waits for this one again
        Assert.False(rest.Task.IsCompleted);
        rest.SetResult();
        foreach (var one in await Task.WhenAll([.. requests, late]))
        {
            one.Dispose();
        }
    }

    [Fact]
    public async Task Tag_AskedAgain_IsResolvedByAHeadAndAnsweredFromMemory()
    {
        await using var gateway = await _upstream.StartGatewayAsync();
        _upstream.PutManifest("team-a/app", "one", "v1");
        const string path = "/v2/team-a/app/manifests/v1";

        var cold = await ReadAsync(gateway, path, "bob", null, ("User-Agent", "test/1"));
        var warm = await ReadAsync(gateway, path, "bob", null, ("User-Agent", "test/1"));

        Assert.Equal(cold, warm);
        Assert.Equal(["GET", "HEAD"], _upstream.Requests.Select(static request => request.Method));
        var (get, head) = (_upstream.Requests[0].Headers, _upstream.Requests[1].Headers);
        Assert.Equal(WithoutId(get), WithoutId(head)); // the same question

        static IEnumerable<KeyValuePair<string, string>> WithoutId(IReadOnlyDictionary<string, string> headers) =>
            headers.Where(static header => header.Key != "X-Request-ID").OrderBy(static header => header.Key);
    }

    [Fact]
    public async Task Tag_ThatWasMovedOrRemovedAroundTheGateway_IsAnsweredAsTheRegistryWould()
    {
        await using var gateway = await _upstream.StartGatewayAsync();
        _upstream.PutManifest("team-a/app", "one", "v1");
        const string path = "/v2/team-a/app/manifests/v1";
        await ReadAsync(gateway, path, "bob");

        _upstream.PutManifest("team-a/app", "two", "v1");
        Assert.Contains("\"two\"", await ReadAsync(gateway, path, "bob"), StringComparison.Ordinal);
        _upstream.Remove(path);
        Assert.StartsWith("404", await ReadAsync(gateway, path, "bob"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tag_OfAnUpstreamThatAnswersNoHead_IsForwarded()
    {
        await using var gateway = await _upstream.StartGatewayAsync();
        _upstream.PutManifest("team-a/app", "one", "v1");
        const string path = "/v2/team-a/app/manifests/v1";
        _upstream.Spoil = static response =>
        {
            if (HttpMethods.IsHead(response.HttpContext.Request.Method))
            {
                response.Headers.Remove("Docker-Content-Digest");
            }
        };

        for (var i = 0; i < 4; i++)
        {
            Assert.StartsWith("200", await ReadAsync(gateway, path, "bob"), StringComparison.Ordinal);
        }

        Assert.Equal(1, _upstream.Count(path, "HEAD")); // it is not asked again and again
        Assert.Equal(4, _upstream.Count(path, "GET"));
    }

    [Fact]
    public async Task Tag_AskedByManyAtOnce_IsAskedOnceForThoseWhoCameBeforeTheQuestion()
    {
        await using var gateway = await _upstream.StartGatewayAsync();
        _upstream.PutManifest("team-a/app", "one", "v1");
        const string path = "/v2/team-a/app/manifests/v1";
        await ReadAsync(gateway, path, "bob");
        var answer = new TaskCompletionSource();
        _upstream.Before = _ => answer.Task;
        var running = gateway.Services.GetRequiredService<RunningRequests>();
        var all = Enumerable.Range(0, 20).Select(_ => ReadAsync(gateway, path, "bob")).ToList();
        await Eventually.TrueAsync(() => running.Count == 20 && _upstream.Count(path, "HEAD") == 1);
        _upstream.PutManifest("team-a/app", "two", "v1"); // after the first question, before the second

        answer.SetResult();
        await Task.WhenAll(all);

        Assert.InRange(_upstream.Count(path, "HEAD"), 1, 2);
        Assert.Equal(2, _upstream.Count(path, "GET")); // once for each content
        Assert.Contains("\"two\"", await all[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tag_BelievedForAWhile_IsNotAskedAboutUntilThenAndSeesAPushAtOnce()
    {
        var clock = new ShiftedClock();
        await using var gateway = await _upstream.StartGatewayAsync(
            static options => options.TagMaxAge = TimeSpan.FromSeconds(30),
            customize: builder => builder.Services.AddSingleton<TimeProvider>(clock));
        _upstream.PutManifest("team-a/app", "one", "v1");
        const string path = "/v2/team-a/app/manifests/v1";
        await ReadAsync(gateway, path, "bob");

        await ReadAsync(gateway, path, "bob");
        await ReadAsync(gateway, path, "bob", HttpMethod.Head);
        Assert.Equal(1, _upstream.Count(path));

        clock.AdvanceMeasured(TimeSpan.FromSeconds(31));
        await ReadAsync(gateway, path, "bob");
        Assert.Equal(1, _upstream.Count(path, "HEAD"));

        _upstream.PutManifest("team-a/app", "two", "v1");
        using (var pushed = await gateway.SendAsync(HttpMethod.Put, path, "alice", new ByteArrayContent([1])))
        {
            Assert.Equal(HttpStatusCode.Created, pushed.StatusCode);
        }

        Assert.Contains("\"two\"", await ReadAsync(gateway, path, "bob"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Content_OlderThanMaxAge_IsAskedForAgain()
    {
        var clock = new ShiftedClock();
        await using var gateway = await _upstream.StartGatewayAsync(
            customize: builder => builder.Services.AddSingleton<TimeProvider>(clock));
        var path = _upstream.PutManifest("team-a/app", "one");
        await ReadAsync(gateway, path, "bob");
        _upstream.Remove(path); // around the gateway

        Assert.StartsWith("200", await ReadAsync(gateway, path, "bob"), StringComparison.Ordinal);
        clock.AdvanceMeasured(TimeSpan.FromSeconds(60));

        Assert.StartsWith("404", await ReadAsync(gateway, path, "bob"), StringComparison.Ordinal);
        await Eventually.TrueAsync(
            () => gateway.Services.GetRequiredService<ContentStore>().Count == 0, TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task Answer_FromMemory_IsRecordedLikeAForwardedOneAndMarked()
    {
        await using var gateway = await _upstream.StartGatewayAsync();
        var path = _upstream.PutManifest("team-a/app", "one");

        using var cold = await gateway.SendAsync(HttpMethod.Get, path, "bob");
        var body = await cold.Content.ReadAsByteArrayAsync();
        var first = await AuditRecords.OfAsync(gateway, cold);
        using var warm = await gateway.SendAsync(HttpMethod.Get, path, "bob");
        await warm.Content.ReadAsByteArrayAsync();
        var second = await AuditRecords.OfAsync(gateway, warm);

        Assert.Null(first.Text("fromCache"));
        Assert.Equal("true", second.Text("fromCache"));
        string[] members =
        [
            "decision", "subject", "operation", "registry", "repository", "reference", "digest", "rule.name", "status",
            "bytesOut",
        ];
        Assert.All(members, member => Assert.Equal(first.Text(member), second.Text(member)));
        Assert.Equal(body.Length.ToString(System.Globalization.CultureInfo.InvariantCulture), second.Text("bytesOut"));
    }

    [Fact]
    public async Task Metrics_OfHitsAndMisses_NameRegistryAndRepository()
    {
        await using var gateway = await _upstream.StartGatewayAsync(
            changeAll: static options => options.Listen.Management = "127.0.0.1:0");
        const string ofRepository = "gateway_content_repository_requests_total";
        var path = _upstream.PutManifest("team-a/app", "one");
        await ReadAsync(gateway, path, "bob");
        await ReadAsync(gateway, path, "bob");
        await ReadAsync(gateway, path, "bob");

        var scrape = await Scrape.UntilAsync(
            gateway, "gateway_content_requests_total{registry=\"main\",result=\"hit\"}", 2);

        Assert.Equal(1, scrape["gateway_content_requests_total{registry=\"main\",result=\"miss\"}"]);
        Assert.Equal(1, scrape["gateway_content_fills_total{registry=\"main\",outcome=\"stored\"}"]);
        Assert.Equal(1, scrape["gateway_content_entries{registry=\"main\"}"]);
        Assert.InRange(scrape["gateway_content_size_bytes{registry=\"main\"}"], 500, 5000);
        Assert.Equal(
            2,
            scrape[$"{ofRepository}{{registry=\"main\",repository=\"team-a/app\",result=\"hit\"}}"]);
        Assert.Equal(1, scrape[$"{ofRepository}{{registry=\"main\",result=\"miss\"}}"]);
    }

    /// <summary>An answer as text: status, headers but for those of the request alone, and body.</summary>
    internal static async Task<string> ReadAsync(
        TestGateway gateway, string path, string? user, HttpMethod? method = null,
        params (string Name, string Value)[] headers)
    {
        using var answer = await gateway.SendAsync(method ?? HttpMethod.Get, path, user, null, headers);
        var text = new StringBuilder().Append((int)answer.StatusCode).Append('\n');
        foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers).OrderBy(static h => h.Key))
        {
            if (name is not ("Date" or "X-Request-ID"))
            {
                text.Append(name).Append(": ").AppendJoin(", ", values).Append('\n');
            }
        }

        return text.Append(Encoding.Latin1.GetString(await answer.Content.ReadAsByteArrayAsync())).ToString();
    }

    private static async Task SendAsync(HttpClient client, string path, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"https://{TestGateway.Host}{path}");
        request.Headers.TryAddWithoutValidation("Authorization", TestGateway.Basic("bob"));
        using var answer = await client.SendAsync(request, cancellationToken);
    }
}
