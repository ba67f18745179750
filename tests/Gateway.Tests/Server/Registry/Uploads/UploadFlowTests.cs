using System.Net;
using System.Text.Json;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Routing;
using Gateway.Server.Store.Keys;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Server.Registry.Uploads;

/// <summary>Uploads through the whole gateway: what the upstream is asked, and who gets no further.</summary>
public sealed class UploadFlowTests : IAsyncLifetime
{
    private const string Digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    private const string Start = "/v2/team-a/app/blobs/uploads/";
    private const string Policy = """
        rules:
          - { name: team-a, to: ["user:alice", "user:bob"], role: writer, on: ["team-a/**"] }
          - { name: drop box, to: [anonymous, authenticated], role: writer, on: ["drop/**"] }
        """;

    private static readonly string[] OnUploads = ["GET", "HEAD", "PATCH", "PUT", "DELETE"];

    private RecordingUpstream _upstream = null!;
    private TestGateway _gateway = null!;

    public async Task InitializeAsync()
    {
        _upstream = await RecordingUpstream.StartAsync();
        _upstream.Respond = Registry("?_state=x");
        _gateway = await TestGateway.StartAsync(_upstream.Address, Policy);
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Theory]
    [InlineData("", "?")]
    [InlineData("?", "?&")]
    [InlineData("?_state=AbC_-0%3d", "?_state=AbC_-0%3d&")]
    [InlineData("?_state=a&_state=b&x;y", "?_state=a&_state=b&x;y&")]
    [InlineData("?session=%7B%22a%22%3a1%7d+%2F~%7e&Part=2", "?session=%7B%22a%22%3a1%7d+%2F~%7e&Part=2&")]
    [InlineData("?a=/../%2e%2e/b|c^d`{e}[f]", "?a=/../%2e%2e/b|c^d`{e}[f]&")]
    [InlineData("?%zz=%&&=", "?%zz=%&&=&")]
    public async Task Upload_WhateverQueryTheUpstreamUses_GetsItBackByteForByte(string query, string beforeDigest)
    {
        _upstream.Respond = Registry(query);
        var upload = Start + "u1";

        var started = await LocationAsync("POST", Start, "alice", HttpStatusCode.Accepted);
        var patched = await LocationAsync("PATCH", started, "alice", HttpStatusCode.Accepted);
        var status = await LocationAsync("GET", patched, "alice", HttpStatusCode.NoContent);
        using var head = await SendAsync("HEAD", status, "alice");
        using var cancelled = await SendAsync("DELETE", status, "alice");
        using var completed = await SendAsync("PUT", $"{status}&digest={Digest}", "alice");

        Assert.Equal(
            [
                $"POST {Start}", $"PATCH {upload}{query}", $"GET {upload}{query}", $"HEAD {upload}{query}",
                $"DELETE {upload}{query}", $"PUT {upload}{beforeDigest}digest=sha256%3A{Digest["sha256:".Length..]}",
            ],
            _upstream.Requests.Select(static request => $"{request.Method} {request.Target}"));
        Assert.Equal("u1", completed.Headers.GetValues("Docker-Upload-UUID").Single());
        Assert.Equal($"https://registry.test/v2/team-a/app/blobs/{Digest}", completed.Headers.Location!.ToString());
    }

    [Fact]
    public async Task Upload_WhoseStateChanges_GoesOnWithTheNewestOfTheTicketShown()
    {
        var first = await LocationAsync("POST", Start, "alice", HttpStatusCode.Accepted);
        _upstream.Respond = Registry("?_state=second");
        var second = await LocationAsync("PATCH", first, "alice", HttpStatusCode.Accepted);

        using var again = await SendAsync("PATCH", first, "alice"); // a replay: the upstream's own state refuses it
        using var next = await SendAsync("PATCH", second, "alice");

        Assert.Equal(
            [Start, Start + "u1?_state=x", Start + "u1?_state=x", Start + "u1?_state=second"],
            _upstream.Requests.Select(static request => request.Target));
    }

    [Fact]
    public async Task Upload_WithStateOfTheClientsOwn_IsForwardedWithTheTicketsAlone()
    {
        var location = await LocationAsync("POST", Start, "alice", HttpStatusCode.Accepted);

        using var answer = await SendAsync(
            "PATCH", $"{location}&_state=forged&x=y&mount={Digest}&from=secret/app", "alice");

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Equal(Start + "u1?_state=x", _upstream.Requests[^1].Target);
    }

    [Fact]
    public async Task Upload_OfAnotherSubject_IsRefusedWithoutTheUpstreamAndWithoutHisName()
    {
        var location = await LocationAsync("POST", Start, "alice", HttpStatusCode.Accepted);
        foreach (var method in OnUploads)
        {
            using var answer = await SendAsync(method, location, "bob"); // who may push there
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
            if (method != "HEAD")
            {
                Assert.Equal(
                    ("DENIED", "the upload was started by another subject; start one of your own"),
                    await ErrorAsync(answer));
            }
        }

        Assert.Single(_upstream.Requests);
        using var own = await SendAsync("PATCH", location, "alice"); // the neighbour
        Assert.Equal(HttpStatusCode.Accepted, own.StatusCode);
    }

    [Fact]
    public async Task Upload_WithoutItsTicket_Is404AndSaysWhatToUse()
    {
        var location = await LocationAsync("POST", Start, "alice", HttpStatusCode.Accepted);
        var ticket = location.Split("_ticket=")[1];
        string[] targets =
        [
            Start + "u1", // no ticket
            Start + "u1?_state=x", // what Distribution itself would take
            Start + "u1?_ticket=" + ticket[..^1],
            Start + "u1?_ticket=" + ticket[1..],
            Start + "u1?_ticket=" + ticket + ticket,
            Start + "u1?_ticket=" + (ticket[0] == 'A' ? "B" : "A") + ticket[1..],
            Start + "u2?_ticket=" + ticket, // another upload
            Start + "U1?_ticket=" + ticket,
            "/v2/team-a/other/blobs/uploads/u1?_ticket=" + ticket, // another repository
            "/v2/drop/app/blobs/uploads/u1?_ticket=" + ticket,
        ];
        foreach (var target in targets)
        {
            foreach (var method in OnUploads)
            {
                using var answer = await SendAsync(method, target, "alice");
                Assert.True(answer.StatusCode == HttpStatusCode.NotFound, $"{method} {target}: {answer.StatusCode}");
                if (method != "HEAD")
                {
                    Assert.Equal(
                        ("BLOB_UPLOAD_UNKNOWN",
                            "this is not the address of an upload here: use the Location of the last answer "
                            + "unchanged, with its _ticket, or start again with POST …/blobs/uploads/"),
                        await ErrorAsync(answer));
                }
            }
        }

        Assert.Single(_upstream.Requests);
    }

    [Theory]
    [InlineData("&_ticket=x", HttpStatusCode.BadRequest, "UNSUPPORTED")]
    [InlineData("&%5Fticket=x", HttpStatusCode.BadRequest, "UNSUPPORTED")]
    [InlineData("=", HttpStatusCode.NotFound, "BLOB_UPLOAD_INVALID")]
    public async Task Upload_WithARepeatedOrMalformedTicket_IsRefused(string suffix, HttpStatusCode status, string code)
    {
        var location = await LocationAsync("POST", Start, "alice", HttpStatusCode.Accepted);

        using var answer = await SendAsync("PATCH", location + suffix, "alice");

        Assert.Equal(status, answer.StatusCode);
        Assert.Equal(code, (await ErrorAsync(answer)).Code);
        Assert.Single(_upstream.Requests);
    }

    [Fact]
    public async Task Upload_WithATicketButNoGoodCredentials_IsChallenged()
    {
        var location = await LocationAsync("POST", Start, "alice", HttpStatusCode.Accepted);

        using var anonymous = await SendAsync("PATCH", location, user: null);
        using var wrong = await _gateway.SendAsync(
            HttpMethod.Patch, location, null, null, ("Authorization", "Basic YWxpY2U6d3Jvbmc="));
        using var withoutTicket = await SendAsync("PATCH", Start + "u1", user: null);

        foreach (var answer in new[] { anonymous, wrong, withoutTicket })
        {
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
            Assert.NotEmpty(answer.Headers.WwwAuthenticate);
        }

        Assert.Single(_upstream.Requests);
    }

    [Fact]
    public async Task Upload_WhoseSubjectLosesTheRight_IsRefusedAtOnce()
    {
        var location = await LocationAsync("POST", Start, "alice", HttpStatusCode.Accepted);
        await File.WriteAllTextAsync(_gateway.PolicyFile, "rules: []");
        await Eventually.TrueAsync(async () =>
        {
            using var probe = await SendAsync("POST", Start, "bob");
            return probe.StatusCode == HttpStatusCode.Forbidden;
        });
        var before = _upstream.Requests.Count;

        using var answer = await SendAsync("PATCH", location, "alice");

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal(before, _upstream.Requests.Count);
    }

    [Fact]
    public async Task Upload_WhoseSubjectIsRemoved_IsRefusedAtOnce()
    {
        var location = await LocationAsync("POST", Start, "alice", HttpStatusCode.Accepted);
        var users = await File.ReadAllLinesAsync(_gateway.UsersFile);
        await File.WriteAllLinesAsync(
            _gateway.UsersFile, users.Where(static line => !line.StartsWith("alice:", StringComparison.Ordinal)));
        await Eventually.TrueAsync(async () =>
        {
            using var probe = await SendAsync("GET", "/v2/", "alice");
            return probe.StatusCode == HttpStatusCode.Unauthorized;
        });

        using var answer = await SendAsync("PATCH", location, "alice");

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Single(_upstream.Requests);
    }

    [Fact]
    public async Task AnonymousUpload_WhereAnybodyMayPush_IsAnonymousToItsEnd()
    {
        const string Drop = "/v2/drop/app/blobs/uploads/";
        var anonymous = await LocationAsync("POST", Drop, TestGateway.Nobody, HttpStatusCode.Accepted);
        var alices = await LocationAsync("POST", Drop, "alice", HttpStatusCode.Accepted);
        var before = _upstream.Requests.Count;

        using var stolen = await SendAsync("PATCH", alices, TestGateway.Nobody);
        using var adopted = await SendAsync("PATCH", anonymous, "alice");
        Assert.Equal(HttpStatusCode.Forbidden, stolen.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, adopted.StatusCode);
        Assert.Equal(before, _upstream.Requests.Count);

        using var own = await SendAsync("PATCH", anonymous, TestGateway.Nobody);
        Assert.Equal(HttpStatusCode.Accepted, own.StatusCode);
    }

    [Fact]
    public async Task Upload_AtAnotherRegistry_IsUnknownThereButNotAtAnotherNameOfItsOwn()
    {
        await using var other = await RecordingUpstream.StartAsync();
        await using var gateway = await TestGateway.StartAsync(
            [
                new RegistryOptions { Name = "main", Upstreams = [_upstream.Address] },
                new RegistryOptions { Name = "partners", Upstreams = [other.Address], Host = "partners.registry.test" },
            ],
            Policy,
            static options => options.Hosts.Add("alias.registry.test"));
        using var started = await gateway.SendAsync(HttpMethod.Post, Start, "alice");
        var target = started.Headers.Location!.PathAndQuery;

        using var elsewhere = await AtAsync("partners.registry.test");
        using var alias = await AtAsync("alias.registry.test");

        Assert.Equal(HttpStatusCode.NotFound, elsewhere.StatusCode);
        Assert.Empty(other.Requests);
        Assert.Equal(HttpStatusCode.Accepted, alias.StatusCode);
        Assert.StartsWith(
            "https://alias.registry.test/v2/team-a/app/blobs/uploads/u1?_ticket=", alias.Headers.Location!.ToString(),
            StringComparison.Ordinal);

        async Task<HttpResponseMessage> AtAsync(string host)
        {
            using var request = new HttpRequestMessage(HttpMethod.Patch, $"https://{host}{target}");
            request.Headers.TryAddWithoutValidation("Authorization", TestGateway.Basic("alice"));
            return await gateway.Client.SendAsync(request);
        }
    }

    [Fact]
    public async Task Upload_AfterAKeyRotation_GoesOnUntilItsKeyIsRetired()
    {
        var (old, next) =
            (TestSigningKeys.Create(SigningAlgorithm.ES256), TestSigningKeys.Create(SigningAlgorithm.ES256));
        var keys = new TestSigningKeys { Current = new SigningKeyRing([old]) };
        await using var gateway = await TestGateway.StartAsync(
            _upstream.Address, Policy, customize: builder => builder.Services.AddSingleton<ISigningKeys>(keys));
        using var started = await gateway.SendAsync(HttpMethod.Post, Start, "alice");
        var target = started.Headers.Location!.PathAndQuery;

        keys.Current = new SigningKeyRing([old, next]);
        using var rotated = await gateway.SendAsync(HttpMethod.Patch, target, "alice");
        Assert.Equal(HttpStatusCode.Accepted, rotated.StatusCode);
        keys.Current = new SigningKeyRing([next]);
        using var retired = await gateway.SendAsync(HttpMethod.Patch, target, "alice");
        Assert.Equal(HttpStatusCode.NotFound, retired.StatusCode);
    }

    [Fact]
    public async Task Upload_WhileNoKeyCanBeRead_IsToComeAgain()
    {
        var keys = new LostKeys();
        await using var gateway = await TestGateway.StartAsync(
            _upstream.Address, Policy, customize: builder => builder.Services.AddSingleton<ISigningKeys>(keys));
        using var started = await gateway.SendAsync(HttpMethod.Post, Start, "alice");
        var target = started.Headers.Location!.PathAndQuery;
        var before = _upstream.Requests.Count;
        keys.AreLost = true;

        using var next = await gateway.SendAsync(HttpMethod.Patch, target, "alice");
        using var another = await gateway.SendAsync(HttpMethod.Post, Start, "alice");
        using var pull = await gateway.SendAsync(HttpMethod.Get, "/v2/team-a/app/tags/list", "alice"); // needs none

        foreach (var answer in new[] { next, another })
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            Assert.Equal(TimeSpan.FromSeconds(5), answer.Headers.RetryAfter?.Delta);
            Assert.Equal("UNAVAILABLE", (await ErrorAsync(answer)).Code);
        }

        Assert.NotEqual(HttpStatusCode.ServiceUnavailable, pull.StatusCode);
        Assert.Equal(before + 1, _upstream.Requests.Count); // no upload was started that nobody could go on with
    }

    [Fact]
    public async Task Upload_UnderAStrippedPrefix_KeepsItsTicketUnderThePublicName()
    {
        await using var gateway = await TestGateway.StartAsync(
            [
                new RegistryOptions
                {
                    Name = "mirror",
                    Upstreams = [_upstream.Address],
                    Prefix = "team-a",
                    StripPrefix = true,
                },
            ],
            Policy);

        using var started = await gateway.SendAsync(HttpMethod.Post, Start, "alice");
        using var patched = await gateway.SendAsync(HttpMethod.Patch, started.Headers.Location!.PathAndQuery, "alice");

        Assert.Equal(HttpStatusCode.Accepted, patched.StatusCode);
        Assert.Equal(
            ["/v2/app/blobs/uploads/", "/v2/app/blobs/uploads/u1?_state=x"],
            _upstream.Requests.Select(static request => request.Target));
    }

    // Answers as a registry does, with this query in the Location of its one upload.
    internal static Func<HttpContext, Task> Registry(string query) => context =>
    {
        var path = context.Request.Path.Value!;
        var repository = path["/v2/".Length..path.IndexOf("/blobs/", StringComparison.Ordinal)];
        context.Response.Headers["Docker-Upload-UUID"] = "u1";
        (context.Response.StatusCode, context.Response.Headers.Location) = context.Request.Method switch
        {
            "POST" or "PATCH" => (202, $"/v2/{repository}/blobs/uploads/u1{query}"),
            "GET" or "HEAD" => (204, $"/v2/{repository}/blobs/uploads/u1{query}"),
            "PUT" => (201, $"/v2/{repository}/blobs/{Digest}"),
            _ => (204, null),
        };
        return Task.CompletedTask;
    };

    // Keys in a Redis that has not answered since the start.
    private sealed class LostKeys : ISigningKeys
    {
        private readonly SigningKeyRing _ring = new([TestSigningKeys.Create(SigningAlgorithm.ES256)]);

        public bool AreLost { get; set; }

        public SigningKeyRing Current => AreLost ? throw new StateException("there are no signing keys") : _ring;
    }

    private static async Task<(string Code, string Message)> ErrorAsync(HttpResponseMessage answer)
    {
        using var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        var error = body.RootElement.GetProperty("errors")[0];
        return (error.GetProperty("code").GetString()!, error.GetProperty("message").GetString()!);
    }

    private Task<HttpResponseMessage> SendAsync(string method, string target, string? user) => _gateway.SendAsync(
        new HttpMethod(method), target, user, method is "PATCH" or "PUT" ? new ByteArrayContent([1]) : null);

    private async Task<string> LocationAsync(string method, string target, string? user, HttpStatusCode expected)
    {
        using var answer = await SendAsync(method, target, user);
        Assert.Equal(expected, answer.StatusCode);
        return answer.Headers.Location!.OriginalString["https://registry.test".Length..];
    }
}
