using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Server.Registry.Authorization;

/// <summary>Rules about tags, which need to know what the upstream holds.</summary>
public sealed class TagRuleTests : IAsyncLifetime
{
    private const string Released = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
    private const string Child = "sha256:2222222222222222222222222222222222222222222222222222222222222222";
    private const string Other = "sha256:3333333333333333333333333333333333333333333333333333333333333333";
    private const string Policy = """
        rules:
          - { name: owners, to: ["user:alice", "user:admin"], role: owner, on: ["**"] }
          - { name: bob sees stable, to: ["user:bob"], role: reader, on: ["**"], tags: ["stable*"] }
          - name: release tags are immutable
            deny: [overwrite, delete]
            on: ["**"]
            tags: ["v*"]
            unless: ["user:admin"]
        """;

    private readonly ConcurrentDictionary<string, string> _tags = new(StringComparer.Ordinal)
    {
        ["v1"] = Released,
        ["latest"] = Other,
        ["stable-1"] = Other,
    };

    private RecordingUpstream _upstream = null!;
    private TestGateway _gateway = null!;

    public async Task InitializeAsync()
    {
        _upstream = await RecordingUpstream.StartAsync();
        _upstream.Respond = AnswerAsync;
        _gateway = await TestGateway.StartAsync(_upstream.Address, Policy);
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Theory]
    [InlineData("alice", "v1", HttpStatusCode.Forbidden)]
    [InlineData("alice", "v2", HttpStatusCode.Created)]
    [InlineData("alice", "latest", HttpStatusCode.Created)]
    [InlineData("admin", "v1", HttpStatusCode.Created)]
    public async Task Push_OfATag_MovesItOnlyWhereNoRuleProtectsIt(string user, string tag, HttpStatusCode expected)
    {
        using var answer = await _gateway.SendAsync(
            HttpMethod.Put, $"/v2/app/manifests/{tag}", user, new ByteArrayContent([1]));

        Assert.Equal(expected, answer.StatusCode);
        Assert.Equal(expected == HttpStatusCode.Created ? 1 : 0, Puts);
        if (expected == HttpStatusCode.Forbidden)
        {
            var body = await answer.Content.ReadAsStringAsync();
            Assert.Contains("exists and may not be moved", body, StringComparison.Ordinal);
            Assert.Contains("release tags are immutable", body, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Push_OfAnUnprotectedTag_AsksTheUpstreamNothing()
    {
        using var answer = await _gateway.SendAsync(
            HttpMethod.Put, "/v2/app/manifests/latest", "alice", new ByteArrayContent([1]));

        Assert.Equal("PUT", Assert.Single(_upstream.Requests).Method);
    }

    [Fact]
    public async Task Push_OfOneNewTagByMany_CreatesItOnce()
    {
        var pushes = Enumerable.Range(0, 8).Select(_ => _gateway.SendAsync(
            HttpMethod.Put, "/v2/app/manifests/v9", "alice", new ByteArrayContent([1])));

        var answers = await Task.WhenAll(pushes);

        Assert.Equal(1, answers.Count(static answer => answer.StatusCode == HttpStatusCode.Created));
        Assert.Equal(7, answers.Count(static answer => answer.StatusCode == HttpStatusCode.Forbidden));
        Assert.Equal(1, Puts);
    }

    [Fact]
    public async Task Push_WhoseClientLeavesBeforeItsEnd_StillKeepsASecondWriterOut()
    {
        var arrived = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        _upstream.Respond = async context =>
        {
            if (context.Request.Method == "PUT" && arrived.TrySetResult())
            {
                await goOn.Task; // a registry stores what it has received, whoever has hung up meanwhile
            }

            await AnswerAsync(context);
        };
        using var leaving = new CancellationTokenSource();
        using var push = new HttpRequestMessage(HttpMethod.Put, $"https://{TestGateway.Host}/v2/app/manifests/v9")
        {
            Content = new ByteArrayContent([1]),
            Headers = { { "Authorization", TestGateway.Basic("alice") } },
        };
        var first = _gateway.Client.SendAsync(push, leaving.Token);
        await arrived.Task;
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);

        var second = _gateway.SendAsync(HttpMethod.Put, "/v2/app/manifests/v9", "alice", new ByteArrayContent([2]));
        await Task.WhenAny(second, Task.Delay(300)); // only a second writer who is let in ends before the first
        goOn.SetResult();

        using var answer = await second;
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal(1, Puts);
    }

    [Fact]
    public async Task Push_WhoseClientLeavesWithinTheBody_LetsTheNextWriterIn()
    {
        await using (var stream = await _gateway.ConnectAsync())
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(
                "PUT /v2/app/manifests/v9 HTTP/1.1\r\nHost: registry.test\r\nAuthorization:"
                    + $" {TestGateway.Basic("alice")}\r\n"
                + "Content-Length: 100\r\n\r\nhalf"));
        }

        using var answer = await _gateway.SendAsync(
            HttpMethod.Put, "/v2/app/manifests/v9", "alice", new ByteArrayContent([2])).WaitAsync(
                TimeSpan.FromSeconds(20));

        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
    }

    [Fact]
    public async Task Push_OfATagThatAnotherPushHolds_DoesNotWaitForEver()
    {
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var gateway = await TestGateway.StartAsync(
            _upstream.Address, Policy, customize: builder => builder.Services.AddSingleton<TimeProvider>(clock));
        var stored = new TaskCompletionSource();
        var storing = new TaskCompletionSource();
        _upstream.Respond = async context =>
        {
            if (context.Request.Method == "PUT")
            {
                storing.SetResult();
                await stored.Task;
            }

            await AnswerAsync(context);
        };

        var first = gateway.SendAsync(HttpMethod.Put, "/v2/app/manifests/v9", "alice", new ByteArrayContent([1]));
        await storing.Task;
        var second = gateway.SendAsync(HttpMethod.Put, "/v2/app/manifests/v9", "alice", new ByteArrayContent([1]));
        while (!second.IsCompleted)
        {
            clock.Advance(TimeSpan.FromSeconds(31));
            await Task.Delay(10); // until the second has begun to wait, which nothing outside can see
        }

        stored.SetResult();

        using var waited = await second;
        using var created = await first;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, waited.StatusCode);
        Assert.Contains("another push", await waited.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
    }

    [Fact]
    public async Task Push_WhenTheUpstreamDoesNotSayWhetherTheTagExists_IsNotGuessed()
    {
        _upstream.Respond = static context =>
        {
            context.Response.StatusCode = 500;
            return Task.CompletedTask;
        };

        using var answer = await _gateway.SendAsync(
            HttpMethod.Put, "/v2/app/manifests/v2", "alice", new ByteArrayContent([1]));

        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        Assert.Equal(0, Puts);
    }

    [Theory]
    [InlineData("alice", "manifests/" + Released, HttpStatusCode.Forbidden)] // a protected tag points there
    [InlineData("alice", "manifests/" + Child, HttpStatusCode.Forbidden)] // a protected index contains it
    [InlineData("alice", "manifests/" + Other, HttpStatusCode.Accepted)] // only unprotected tags point there
    [InlineData("alice", "manifests/v1", HttpStatusCode.Forbidden)]
    [InlineData("alice", "manifests/latest", HttpStatusCode.Accepted)]
    [InlineData("alice", "blobs/" + Other, HttpStatusCode.Forbidden)] // it may belong to a protected image
    [InlineData("admin", "manifests/" + Released, HttpStatusCode.Accepted)]
    [InlineData("admin", "blobs/" + Other, HttpStatusCode.Accepted)]
    public async Task Delete_TakesNoProtectedTagAway(string user, string rest, HttpStatusCode expected)
    {
        using var answer = await _gateway.SendAsync(HttpMethod.Delete, $"/v2/app/{rest}", user);

        Assert.Equal(expected, answer.StatusCode);
        Assert.Equal(
            expected == HttpStatusCode.Accepted ? 1 : 0,
            _upstream.Requests.Count(static request => request.Method == "DELETE"));
    }

    [Theory]
    [InlineData("[delete]", true)] // the neighbour: who may pull the tag is told its name
    [InlineData("[pull, delete]", false)]
    public async Task Delete_ThatAHiddenTagForbids_DoesNotNameIt(string denied, bool isNamed)
    {
        await using var gateway = await TestGateway.StartAsync(_upstream.Address, $$"""
            rules:
              - { name: owners, to: ["user:bob"], role: owner, on: ["**"] }
              - { name: kept from bob, deny: {{denied}}, on: ["**"], tags: ["v*"] }
            """);

        using var answer = await gateway.SendAsync(HttpMethod.Delete, $"/v2/app/manifests/{Released}", "bob");

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal(isNamed, (await answer.Content.ReadAsStringAsync()).Contains("v1", StringComparison.Ordinal));
        Assert.DoesNotContain(_upstream.Requests, static request => request.Method == "DELETE");
    }

    [Theory]
    [InlineData("alice", "team-a/app", false)] // a writer: no rule grants delete, whatever tags are protected
    [InlineData("bob", "users/bob/app", true)] // the neighbour: an owner, from whom the deny takes it
    public async Task Delete_RefusalOfTheSample_NamesTheMissingGrantBeforeATagRule(
        string user, string repository, bool isTheTagRule)
    {
        var sample = await File.ReadAllTextAsync(
            Path.Combine(RepositoryRoot.Path, "config", "policies", "samples.yaml"));
        await using var gateway = await TestGateway.StartAsync(_upstream.Address, sample);
        _upstream.Respond = async context =>
        {
            context.Request.Path = context.Request.Path.Value!.Replace(
                $"/v2/{repository}/", "/v2/app/", StringComparison.Ordinal);
            await AnswerAsync(context);
        };

        foreach (var reference in new[] { Released, "v1" })
        {
            using var answer = await gateway.SendAsync(
                HttpMethod.Delete, $"/v2/{repository}/manifests/{reference}", user);
            var text = await answer.Content.ReadAsStringAsync();

            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
            Assert.Equal(isTheTagRule, text.Contains("release tags are immutable", StringComparison.Ordinal));
            Assert.Equal(
                !isTheTagRule,
                text.Contains($"no rule grants delete on {repository} to user:{user}", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Delete_WhereTheUpstreamDoesNotSayWhatATagPointsTo_IsNotGuessed()
    {
        _upstream.Respond = async context =>
        {
            context.Response.OnStarting(
                () => Task.FromResult(context.Response.Headers.Remove("Docker-Content-Digest")));
            await AnswerAsync(context);
        };
        _tags["v2"] = Other;

        using var answer = await _gateway.SendAsync(HttpMethod.Delete, $"/v2/app/manifests/{Other}", "alice");

        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        Assert.DoesNotContain(_upstream.Requests, static request => request.Method == "DELETE");
    }

    [Fact]
    public async Task Delete_BesideIndexesThatNameOneAnotherOftenOver_AsksForEachManifestOnce()
    {
        // Four small manifests whose entries, followed one by one, are 6 + 36 + 216 questions; with 20,000 entries in
        // each, as 4 MiB hold, they would never end.
        var chain = Enumerable.Range(4, 4).Select(static i => "sha256:" + new string((char)('0' + i), 64)).ToArray();
        _tags["v1"] = chain[0];
        _tags["v2"] = chain[0];
        _upstream.Respond = async context =>
        {
            var path = context.Request.Path.Value!;
            var name = path[(path.LastIndexOf('/') + 1)..];
            var at = Array.IndexOf(chain, _tags.GetValueOrDefault(name, name));
            if (context.Request.Method != "GET" || at < 0)
            {
                await AnswerAsync(context);
                return;
            }

            context.Response.Headers["Docker-Content-Digest"] = chain[at];
            context.Response.ContentType = "application/vnd.oci.image.index.v1+json";
            var isLast = at + 1 == chain.Length;
            var type = isLast ? "application/vnd.oci.image.manifest.v1+json" : context.Response.ContentType;
            await context.Response.WriteAsync(JsonSerializer.Serialize(
                new
                {
                    manifests = Enumerable.Repeat(
                    new { mediaType = type, digest = isLast ? Child : chain[at + 1] }, 6)
                }));
        };

        using var answer = await _gateway.SendAsync(HttpMethod.Delete, $"/v2/app/manifests/{Other}", "alice");
        var questions = _upstream.Requests.Count(
            static request => request.Target.Contains("/manifests/", StringComparison.Ordinal));
        using var deep = await _gateway.SendAsync(HttpMethod.Delete, $"/v2/app/manifests/{Child}", "alice");

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, deep.StatusCode);
        Assert.InRange(questions, 1, 2 + chain.Length + 1); // each tag, each index, and the delete itself
    }

    [Fact]
    public async Task TagList_AtTheInstantWhereAGrantEnds_IsStillFiltered()
    {
        var clock = new EndingClock();
        await using var gateway = await TestGateway.StartAsync(
            _upstream.Address,
            """
            rules:
              - { name: by day, to: ["user:bob"], role: reader, on: ["**"], when: { time: { from: "08:00", to: "18:00" } } }
              - { name: hidden, deny: pull, on: ["**"], tags: ["v*"] }
            """,
            change: static options => options.Audit.Enabled = false, // its line would look at the clock, too
            customize: builder => builder.Services.AddSingleton<TimeProvider>(clock));
        using var warmUp = await gateway.SendAsync(HttpMethod.Get, "/v2/app/tags/list", "bob"); // hashes the password
        clock.IsEnding = true;

        using var answer = await gateway.SendAsync(HttpMethod.Get, "/v2/app/tags/list", "bob");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.DoesNotContain("v1", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TagList_WhereRulesHideTags_ShowsTheOthersAndPages()
    {
        _tags["stable-2"] = Other;
        _tags["stable-3"] = Other;

        using var all = await _gateway.SendAsync(HttpMethod.Get, "/v2/app/tags/list", "bob");
        using var first = await _gateway.SendAsync(HttpMethod.Get, "/v2/app/tags/list?n=2", "bob");
        using var second = await _gateway.SendAsync(HttpMethod.Get, "/v2/app/tags/list?n=2&last=stable-2", "bob");
        using var huge = await _gateway.SendAsync(HttpMethod.Get, $"/v2/app/tags/list?n={long.MaxValue}", "bob");
        using var everything = await _gateway.SendAsync(HttpMethod.Get, "/v2/app/tags/list", "alice");

        Assert.Equal(
            """{"name":"app","tags":["stable-1","stable-2","stable-3"]}""", await all.Content.ReadAsStringAsync());
        Assert.Equal(
            """{"name":"app","tags":["stable-1","stable-2","stable-3"]}""", await huge.Content.ReadAsStringAsync());
        Assert.Equal("""{"name":"app","tags":["stable-1","stable-2"]}""", await first.Content.ReadAsStringAsync());
        Assert.Equal("</v2/app/tags/list?last=stable-2&n=2>; rel=\"next\"", first.Headers.GetValues("Link").Single());
        Assert.Equal("""{"name":"app","tags":["stable-3"]}""", await second.Content.ReadAsStringAsync());
        Assert.False(second.Headers.Contains("Link"));
        Assert.Contains("latest", await everything.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_OfAHiddenTag_IsRefusedAndOfAVisibleOneWorks()
    {
        using var hidden = await _gateway.SendAsync(HttpMethod.Get, "/v2/app/manifests/latest", "bob");
        using var visible = await _gateway.SendAsync(HttpMethod.Get, "/v2/app/manifests/stable-1", "bob");

        Assert.Equal(HttpStatusCode.Forbidden, hidden.StatusCode);
        Assert.Equal(HttpStatusCode.OK, visible.StatusCode);
    }

    private int Puts => _upstream.Requests.Count(static request => request.Method == "PUT");

    // As much of a registry as these rules ask: tags, what they point to, and one index.
    private async Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        var reference = path[(path.LastIndexOf('/') + 1)..];
        switch (context.Request.Method)
        {
            case "PUT":
                await Task.Delay(20); // long enough for two writers to overlap, if they could
                _tags[reference] = Other;
                context.Response.StatusCode = 201;
                context.Response.Headers.Location = $"/v2/app/manifests/{Other}";
                break;
            case "DELETE":
                context.Response.StatusCode = 202;
                break;
            case "GET" when path.EndsWith("/tags/list", StringComparison.Ordinal):
                await context.Response.WriteAsync(JsonSerializer.Serialize(new { name = "app", tags = _tags.Keys }));
                break;
            default:
                var digest = reference.StartsWith("sha256:", StringComparison.Ordinal)
                    ? reference
                    : _tags.GetValueOrDefault(reference);
                if (digest is null)
                {
                    context.Response.StatusCode = 404;
                    break;
                }

                context.Response.Headers["Docker-Content-Digest"] = digest;
                context.Response.ContentType = digest == Released
                    ? "application/vnd.oci.image.index.v1+json"
                    : "application/vnd.oci.image.manifest.v1+json";
                if (context.Request.Method == "GET")
                {
                    await context.Response.WriteAsync(digest == Released
#pragma warning disable RCS0056 // one line of text
                        ? $$"""{"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{{Child}}"}]}"""
#pragma warning restore RCS0056
                        : "{}");
                }

                break;
        }
    }

    // The first look at the time of day still lies in the window, every later one behind it. FakeTimeProvider's
    // AutoAdvanceAmount counts its timestamps and timers too, with which a request begins.
    private sealed class EndingClock : TimeProvider
    {
        private static readonly DateTimeOffset Last = new(2026, 1, 7, 17, 59, 59, TimeSpan.Zero);
        private int _looks;

        public bool IsEnding { get; set; }

        public override DateTimeOffset GetUtcNow() =>
            IsEnding && Interlocked.Increment(ref _looks) > 1 ? Last.AddSeconds(1) : Last;
    }
}
