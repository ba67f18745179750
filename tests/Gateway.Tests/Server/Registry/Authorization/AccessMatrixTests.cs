using System.Net;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Registry.Authorization;

/// <summary>Every operation, asked by everybody: who gets through, and that nothing of a refused one does.</summary>
public sealed class AccessMatrixTests : IAsyncLifetime
{
    private const string Digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    private RecordingUpstream _upstream = null!;
    private TestGateway _gateway = null!;

    public static TheoryData<string, string, string> Operations => new()
    {
        { "GET", "manifests/v1", "pull" },
        { "HEAD", "manifests/v1", "pull" },
        { "GET", $"manifests/{Digest}", "pull" },
        { "GET", $"blobs/{Digest}", "pull" },
        { "HEAD", $"blobs/{Digest}", "pull" },
        { "GET", "tags/list", "pull" },
        { "GET", $"referrers/{Digest}", "pull" },
        { "PUT", "manifests/v1", "push" },
        { "PUT", $"manifests/{Digest}", "push" },
        { "POST", "blobs/uploads/", "push" },
        { "GET", "blobs/uploads/u1?{ticket}", "push" },
        { "HEAD", "blobs/uploads/u1?{ticket}", "push" },
        { "PATCH", "blobs/uploads/u1?{ticket}", "push" },
        { "PUT", "blobs/uploads/u1?{ticket}&digest=" + Digest, "push" },
        { "DELETE", "blobs/uploads/u1?{ticket}", "push" },
        { "DELETE", "manifests/v1", "delete" },
        { "DELETE", $"manifests/{Digest}", "delete" },
        { "DELETE", $"blobs/{Digest}", "delete" },
    };

    public async Task InitializeAsync()
    {
        _upstream = await RecordingUpstream.StartAsync();
        _gateway = await TestGateway.StartAsync(_upstream.Address);
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public async Task Operation_AskedByEverybody_ReachesTheUpstreamOnlyWhereAllowed(
        string method, string rest, string action)
    {
        (string? User, string Repository, string Grants)[] askers =
        [
            ("admin", "team-a/app", "pull push delete"),
            ("alice", "team-a/app", "pull push"),
            ("bob", "team-a/app", "pull"),
            ("bob", "team-b/app", ""),
            ("alice", "team-ab/app", ""),
            (null, "team-a/app", ""),
            (null, "public/app", ""), // who sends nothing is asked, also where nobody may do it
            (TestGateway.Nobody, "public/app", "pull"),
            (TestGateway.Nobody, "team-a/app", ""),
            ("bob", "public/app", "pull"),
        ];
        foreach (var (user, repository, grants) in askers)
        {
            var before = _upstream.Requests.Count;

            // Everybody shows a ticket of his own, so that it is policy alone that refuses.
            var ticket = _gateway.UploadTarget(user, repository, "u1").Split('?')[1];
            using var answer = await _gateway.SendAsync(
                new HttpMethod(method),
                $"/v2/{repository}/{rest.Replace("{ticket}", ticket, StringComparison.Ordinal)}", user);

            var allowed = grants.Split(' ').Contains(action);
            var expected = allowed ? HttpStatusCode.OK
                : user is null or TestGateway.Nobody ? HttpStatusCode.Unauthorized
                : method == "HEAD" && rest == $"blobs/{Digest}" ? HttpStatusCode.NotFound // Denial.ForHead
                : HttpStatusCode.Forbidden;
            Assert.True(expected == answer.StatusCode, $"{user} {repository}: {answer.StatusCode}, not {expected}");
            Assert.Equal(allowed ? 1 : 0, _upstream.Requests.Count - before);
            Assert.Equal(expected == HttpStatusCode.Unauthorized, answer.Headers.WwwAuthenticate.Count > 0);
        }
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public async Task Operation_WithAWrongPassword_IsChallengedAndReachesNobody(
        string method, string rest, string action)
    {
        using var answer = await _gateway.SendAsync(
            new HttpMethod(method),
            $"/v2/public/app/{rest.Replace("{ticket}", "_ticket=x", StringComparison.Ordinal)}",
            null,
            null,
            ("Authorization", "Basic YWxpY2U6d3Jvbmc="));

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        // No error: a password is no token that could be invalid, and the client goes on to fetch one.
        var actions = action == "push" ? "pull,push" : action;
        Assert.Equal(
            "Bearer realm=\"https://registry.test/token\",service=\"registry.test\",scope=\"repository:public/"
                + $"app:{actions}\"",
            answer.Headers.GetValues("WWW-Authenticate").Single());
        Assert.Empty(_upstream.Requests);
    }

    [Theory]
    [InlineData(null, null, HttpStatusCode.Unauthorized)] // docker sends no password to a registry that does not ask
    [InlineData(null, "Basic Og==", HttpStatusCode.OK)] // podman's "nobody", where anonymous callers may do something
    [InlineData("alice", null, HttpStatusCode.OK)]
    [InlineData(null, "Basic YWxpY2U6d3Jvbmc=", HttpStatusCode.Unauthorized)]
    [InlineData(null, "Bearer abc", HttpStatusCode.Unauthorized)]
    [InlineData(null, "Basic !!!", HttpStatusCode.Unauthorized)]
    public async Task Ping_ByThisCaller_IsAnsweredSo(string? user, string? authorization, HttpStatusCode expected)
    {
        (string, string)[] headers = authorization is null ? [] : [("Authorization", authorization)];

        using var answer = await _gateway.SendAsync(HttpMethod.Get, "/v2/", user, null, headers);

        Assert.Equal(expected, answer.StatusCode);
        Assert.Equal("registry/2.0", answer.Headers.GetValues("Docker-Distribution-Api-Version").Single());
        Assert.Equal(
            expected == HttpStatusCode.OK ? "{}" : null,
            expected == HttpStatusCode.OK ? await answer.Content.ReadAsStringAsync() : null);
    }

    [Fact]
    public async Task EmptyCredentials_WhereAnonymousMayDoNothing_AreChallenged()
    {
        await using var gateway = await TestGateway.StartAsync(_upstream.Address, "rules: []");

        using var ping = await gateway.SendAsync(HttpMethod.Get, "/v2/", null, null, ("Authorization", "Basic Og=="));
        using var catalog = await gateway.SendAsync(HttpMethod.Get, "/v2/_catalog");

        Assert.Equal(HttpStatusCode.Unauthorized, ping.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, catalog.StatusCode);
    }

    [Fact]
    public async Task Denial_OfAKnownCaller_SaysWhyAndNothingOfWhatExists()
    {
        using var denied = await _gateway.SendAsync(HttpMethod.Put, "/v2/team-a/app/manifests/v1", "bob");

        var body = await denied.Content.ReadAsStringAsync();
        Assert.Contains("\"code\":\"DENIED\"", body, StringComparison.Ordinal);
        Assert.Contains("user:bob may not push team-a/app:v1", body, StringComparison.Ordinal);
        Assert.Contains("\"missing\":\"push\"", body, StringComparison.Ordinal);
        Assert.Contains(
            $"\"requestId\":\"{denied.Headers.GetValues("X-Request-Id").Single()}\"", body, StringComparison.Ordinal);
        Assert.Empty(_upstream.Requests);
    }

    [Theory]
    [InlineData("bob", null, "/v2/team-b/app")] // policy
    [InlineData("alice", "team-b/**:pull", "/v2/team-a/app")] // the token's limit
    public async Task DeniedHead_OfABlob_IsTheSameWhateverExistsAndIsRecordedAsDenied(
        string who, string? limit, string repository)
    {
        // Existing and missing blobs: where the upstream were asked, the answers would differ.
        const string missing = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
        _upstream.Respond = static context =>
        {
            context.Response.StatusCode = context.Request.Path.Value!.EndsWith("000", StringComparison.Ordinal)
                ? 404
                : 200;
            context.Response.ContentLength = 12345;
            return Task.CompletedTask;
        };
        var user = limit is null ? who : null;
        (string, string)[] headers = limit is null
            ? []
            : [("Authorization", "Bearer " + (await _gateway.AddPersonalTokenAsync(who, null, limit)).Secret)];

        using var present = await _gateway.SendAsync(
            HttpMethod.Head, $"{repository}/blobs/{Digest}", user, null, headers);
        using var absent = await _gateway.SendAsync(
            HttpMethod.Head, $"{repository}/blobs/{missing}", user, null, headers);
        using var manifest = await _gateway.SendAsync(
            HttpMethod.Head, $"{repository}/manifests/v1", user, null, headers);
        using var get = await _gateway.SendAsync(HttpMethod.Get, $"{repository}/blobs/{Digest}", user, null, headers);

        Assert.Equal(HttpStatusCode.NotFound, present.StatusCode);
        Assert.Equal(Describe(absent), Describe(present));
        Assert.Equal(HttpStatusCode.Forbidden, manifest.StatusCode); // a pull is not told that nothing is there
        Assert.Equal(HttpStatusCode.Forbidden, get.StatusCode);
        Assert.Empty(_upstream.Requests);
        var line = await AuditRecords.OfAsync(_gateway, present);
        Assert.Equal(("deny", "404", "DENIED"), (line.Text("decision"), line.Text("status"), line.Text("error.code")));

        static string Describe(HttpResponseMessage answer) =>
            string.Join('\n', answer.Headers.Concat(answer.Content.Headers)
            .Where(
                static header => !header.Key.Equals("X-Request-Id", StringComparison.OrdinalIgnoreCase)
                    && header.Key != "Date")
            .Select(static header => $"{header.Key}: {string.Join(',', header.Value)}"));
    }

    [Fact]
    public async Task Head_OfABlobWithATokenThatIsTooNarrow_IsToldToFetchAnother()
    {
        var token = await _gateway.BearerAsync("repository:public/app:pull", TestGateway.Basic("bob"));

        using var answer = await _gateway.SendAsync(
            HttpMethod.Head, $"/v2/team-a/app/blobs/{Digest}", null, null, ("Authorization", token));

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Contains(
            "error=\"insufficient_scope\"", answer.Headers.GetValues("WWW-Authenticate").Single(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mount_FromARepositoryThatTheCallerMayNotPull_BecomesAnOrdinaryUpload()
    {
        using var permitted = await _gateway.SendAsync(
            HttpMethod.Post, $"/v2/team-a/app/blobs/uploads/?mount={Digest}&from=public%2Fbase", "alice");
        using var refused = await _gateway.SendAsync(
            HttpMethod.Post, $"/v2/team-a/app/blobs/uploads/?mount={Digest}&from=secret%2Fbase", "alice");

        Assert.Equal(HttpStatusCode.OK, refused.StatusCode);
        Assert.Equal(
            [$"/v2/team-a/app/blobs/uploads/?mount={Digest}&from=public/base", "/v2/team-a/app/blobs/uploads/"],
            _upstream.Requests.Select(static request => Uri.UnescapeDataString(request.Target)));
    }

    [Fact]
    public async Task PolicyAndUsers_ChangedWhileRunning_DecideTheNextRequestsWithinTwoSeconds()
    {
        await using var gateway = await TestGateway.StartAsync(_upstream.Address);
        Assert.Equal(HttpStatusCode.OK, await PullAsync("bob"));

        await File.WriteAllTextAsync(gateway.PolicyFile, "rules: []");
        await UntilAsync(async () => await PullAsync("bob") == HttpStatusCode.Forbidden);
        await File.WriteAllTextAsync(gateway.PolicyFile, "rules: [ not a rule");
        await File.WriteAllTextAsync(gateway.UsersFile, "");
        await UntilAsync(async () => await PullAsync("bob") == HttpStatusCode.Unauthorized);

        async Task<HttpStatusCode> PullAsync(string user)
        {
            using var answer = await gateway.SendAsync(HttpMethod.Get, "/v2/team-a/app/manifests/v1", user);
            return answer.StatusCode;
        }
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        while (!await condition())
        {
            await Task.Delay(20, limit.Token); // polls the running program; its clock is the real one here
        }
    }
}
