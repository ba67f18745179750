using System.Net;
using System.Text.Json;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Tokens.Credentials;

public sealed class TokenApiTests(TokenApiStage stage) : IClassFixture<TokenApiStage>
{
    private const string Order = """{"name": "laptop", "scopes": ["team-a/**:pull"]}""";

    [Fact]
    public async Task Create_Person_GetsThePersonalTokenAsked()
    {
        var answer = await stage.SendAsync(
            "POST", "", "alice", """{"name": "laptop", "scopes": ["team-a/**:push,pull"], "expiresIn": "30d"}""");

        Assert.Equal(HttpStatusCode.Created, answer.Status);
        var token = answer.Token;
        Assert.Equal($"/api/v1/tokens/{token.GetProperty("id").GetString()}", answer.Location);
        Assert.Equal("personal", token.GetProperty("kind").GetString());
        Assert.Equal("user:alice", token.GetProperty("owner").GetString());
        Assert.Equal("user:alice", token.GetProperty("createdBy").GetString());
        Assert.Equal("laptop", token.GetProperty("name").GetString());
        Assert.Equal("[\"team-a/**:pull,push\"]", token.GetProperty("scopes").GetRawText());
        Assert.Equal("active", token.GetProperty("state").GetString());
        Assert.Equal(JsonValueKind.Null, token.GetProperty("lastUsedAt").ValueKind);
        Assert.Equal(
            TimeSpan.FromDays(30),
            token.GetProperty("expiresAt").GetDateTimeOffset() - token.GetProperty("createdAt").GetDateTimeOffset());
        Assert.StartsWith("rgp_", answer.Body.GetProperty("secret").GetString(), StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task Create_BodyThatEndsAfterThePasswordWasChanged_IsRefused()
    {
        // Judged at the headers, whoever knows the old password could hold such a request open past the change.
        const string body = """{"name": "slow", "scopes": null}""";
        await using var upstream = await RecordingUpstream.StartAsync();
        await using var gateway = await TestGateway.StartAsync(upstream.Address);
        await using var stream = await gateway.ConnectAsync();
        await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(
            $"POST /api/v1/tokens HTTP/1.1\r\nHost: {TestGateway.Host}\r\nAuthorization:"
            + $" {TestGateway.Basic("alice")}\r\nContent-Type: application/json\r\nContent-Length:"
            + $" {body.Length}\r\nConnection: close\r\n\r\n{body[..5]}"));
        using var meanwhile = await gateway.SendAsync(HttpMethod.Get, "/api/v1/tokens", "alice");
        Assert.Equal(HttpStatusCode.OK, meanwhile.StatusCode); // by now the other request's headers are read as well
        var users = await File.ReadAllLinesAsync(gateway.UsersFile);
        var changed = users.Select(static line => line.StartsWith("alice:", StringComparison.Ordinal)
            ? "alice:" + TestUsers.Hash("another-password") : line);
        await File.WriteAllTextAsync(gateway.UsersFile, string.Join('\n', changed) + "\n");
        for (var isChanged = false; !isChanged;) // the gateway looks twice a second; the test's own time-out ends this
        {
            using var asked = await gateway.SendAsync(HttpMethod.Get, "/api/v1/tokens", "alice");
            isChanged = asked.StatusCode == HttpStatusCode.Unauthorized;
        }

        await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(body[5..]));
        using var reader = new StreamReader(stream);

        Assert.StartsWith("HTTP/1.1 401 ", await reader.ReadLineAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_EverythingThePersonMay_HasToBeSaid()
    {
        var (id, _) = await stage.CreateAsync("alice");
        var silent = await stage.SendAsync("POST", "", "alice", """{"name": "laptop"}""");

        var shown = await stage.SendAsync("GET", $"/{id}", "alice");
        Assert.Equal(JsonValueKind.Null, shown.Body.GetProperty("scopes").ValueKind);
        Assert.Equal(
            "TOKEN_INVALID: scopes: is missing. Give a list such as [\"team-a/**:pull,push\"], or null for everything "
                + "that you may do.",
            silent.Error);
    }

    [Fact]
    // they only take away, so there is nothing to refuse
    public async Task Create_ScopesBeyondWhatThePersonMay_AreTaken()
        => await stage.CreateAsync("bob", scopes: "[\"**:pull,push,delete\"]");

    [Theory]
    [InlineData("", "name: is missing. Give the token a name, such as \"laptop\".")]
    [InlineData("{}", "name: is missing. Give the token a name, such as \"laptop\".")]
    [InlineData("{", "body: this is not JSON. Send one JSON object in UTF-8.")]
    [InlineData("{} {}", "body: this is not JSON. Send one JSON object in UTF-8.")]
    [InlineData(
        "[]", "body: this is not a JSON object (found \"a list\"). Send one, such as {\"name\": \"laptop\", …}.")]
    [InlineData(
        """{"name": "laptop", "scopes": null, "scope": []}""",
        "scope: there is no such member. Use only: name, scopes, expiresIn, robot.")]
    [InlineData(
        """{"name": "laptop", "scopes": null, "Name": "x"}""",
        "Name: there is no such member. Use only: name, scopes, expiresIn, robot.")]
    [InlineData(
        """{"name": "laptop", "scopes": null, "n\u0061me": "x"}""", "name: appears twice. Send each member once.")]
    [InlineData(
        """{"name": 7, "scopes": null}""",
        "name: this is not text (found \"a number\"). Write it in quotes, or leave the member out.")]
    [InlineData(
        """{"name": null, "scopes": null}""",
        "name: this is not text (found \"null\"). Write it in quotes, or leave the member out.")]
    [InlineData(
        """{"name": "\ud800", "scopes": null}""",
        "name: this is not text (found \"text\"). Write it in quotes, or leave the member out.")]
    [InlineData(
        """{"name": "lap\ntop", "scopes": null}""",
        "name: this is not a name for a token (found \"lap?top\"). A name is 1 to 64 printable characters, and "
            + "neither begins nor ends with a space.")]
    [InlineData(
        """{"name": "laptop", "scopes": "team-a/**:pull"}""",
        "scopes: this is not a list (found \"text\"). Give a list such as [\"team-a/**:pull,push\"], or null for "
            + "everything that you may do.")]
    [InlineData(
        """{"name": "laptop", "scopes": [["a:pull"]]}""",
        "scopes: an entry is not text (found \"a list\"). Give a list such as [\"team-a/**:pull,push\"], or null for "
            + "everything that you may do.")]
    [InlineData(
        """{"name": "laptop", "scopes": [null]}""",
        "scopes: an entry is not text (found \"null\"). Give a list such as [\"team-a/**:pull,push\"], or null for "
            + "everything that you may do.")]
    [InlineData(
        """{"name": "laptop", "scopes": []}""",
        "scopes: A token has 1 to 16 scopes, 2048 characters in total. See docs/tokens.md, \"Scopes\".")]
    [InlineData(
        """{"name": "laptop", "scopes": ["a:write"]}""",
        "scopes: The scope \"a:write\" names the action \"write\": the actions are pull, push and delete. See "
            + "docs/tokens.md, \"Scopes\".")]
    [InlineData(
        """{"name": "laptop", "scopes": null, "expiresIn": "30"}""",
        "expiresIn: this is not a duration (found \"30\"). Write integers with units (d, h, m, s), such as \"30d\".")]
    [InlineData(
        """{"name": "laptop", "scopes": null, "expiresIn": 30}""",
        "expiresIn: this is not text (found \"a number\"). Write it in quotes, or leave the member out.")]
    [InlineData(
        """{"name": "laptop", "scopes": null, "expiresIn": "366d"}""",
        "expiresIn: out of range (found \"366d\"). Choose a lifetime from 1m to 365d; the operator sets the maximum "
            + "with tokens.maximumCredentialLifetime.")]
    public async Task Create_WrongBody_IsToldWhatWouldBeRight(string body, string message)
    {
        var answer = await stage.SendAsync("POST", "", "alice", body);

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.StartsWith($"TOKEN_INVALID: {message}", answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_NotUtf8OrTooLarge_IsRefused()
    {
        using var latin = new ByteArrayContent([.. """{"name": "B"""u8, 0xFC, .. """ro", "scopes": null}"""u8]);
        latin.Headers.ContentType = new("application/json");
        using var refused = await stage.Gateway.SendAsync(HttpMethod.Post, "/api/v1/tokens", "alice", latin);
        var large = await stage.SendAsync("POST", "", "alice", $$"""{"name": "{{new string('x', 70_000)}}"}""");

        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large.Status);
    }

    [Fact]
    public async Task Create_RobotsToken_IsForAdministrators()
    {
        const string order = """{"name": "blue", "scopes": ["team-a/**:push"], "robot": "ci-deploy"}""";

        var person = await stage.SendAsync("POST", "", "alice", order);
        var administrator = await stage.SendAsync("POST", "", "admin", order);

        Assert.Equal(
            "DENIED: user:alice may not create tokens for robots; the operator sets in tokens.administrators who may",
            person.Error);
        Assert.Equal("robot", administrator.Token.GetProperty("kind").GetString());
        Assert.Equal("robot:ci-deploy", administrator.Token.GetProperty("owner").GetString());
        Assert.Equal("user:admin", administrator.Token.GetProperty("createdBy").GetString());
        Assert.StartsWith("rgr_", administrator.Body.GetProperty("secret").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        """{"name": "blue", "scopes": null, "robot": "ci-deploy"}""",
        "scopes: a robot token needs scopes. List what it may do, such as \"team-a/**:pull,push\".")]
    [InlineData(
        """{"name": "blue", "scopes": ["a:pull"], "robot": "CI"}""",
        "robot: this is not a robot's name (found \"CI\"). A robot's name is 1 to 64 of a-z, 0-9, \".\", \"_\" and "
            + "\"-\", and begins and ends with a letter or digit.")]
    public async Task Create_WrongRobot_IsRefused(string body, string message)
    {
        var answer = await stage.SendAsync("POST", "", "admin", body);

        Assert.Equal($"TOKEN_INVALID: {message}", answer.Error);
    }

    [Fact]
    public async Task EveryOperation_WithoutCredentials_IsAskedForAPassword()
    {
        foreach (var (method, target) in Operations("k00000000000"))
        {
            var answer = await stage.SendAsync(method, target, null, method == "POST" ? Order : null);

            Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
            Assert.Equal("Basic realm=\"registry.test\"", answer.Challenge);
            Assert.Equal("UNAUTHORIZED: authentication required: sign in with user name and password", answer.Error);
        }
    }

    [Fact]
    public async Task EveryOperation_WithAWrongPassword_IsRefused()
    {
        foreach (var (method, target) in Operations("k00000000000"))
        {
            var answer = await stage.SendAsync(
                method, target, null, method == "POST" ? Order : null, headers: Authorization("alice", "wrong"));

            Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
            Assert.StartsWith(
                "UNAUTHORIZED: authentication failed: the user name or password is wrong", answer.Error,
                StringComparison.Ordinal);
        }
    }

    // Whoever holds a token must not get another one for it, which would live on when the first is revoked.
    [Fact]
    public async Task EveryOperation_WithAToken_IsRefusedWithTheReason()
    {
        var (id, personal) = await stage.CreateAsync("admin");
        var (_, robot) = await stage.CreateAsync("admin", scopes: "[\"**:pull\"]", robot: "ci-deploy");
        using var granted = await stage.Gateway.SendAsync(HttpMethod.Get, "/token?service=registry.test", "admin");
        using var grant = JsonDocument.Parse(await granted.Content.ReadAsStringAsync());
        (string, string)[] tokens =
        [
            Authorization("admin", personal),
            Authorization("token", personal),
            ("Authorization", "Bearer " + personal),
            Authorization("ci-deploy", robot),
            ("Authorization", "Bearer " + grant.RootElement.GetProperty("token").GetString()),
        ];

        foreach (var token in tokens)
        {
            foreach (var (method, target) in Operations(id))
            {
                var answer = await stage.SendAsync(
                    method, target, null, method == "POST" ? Order : null, headers: token);

                Assert.Equal(HttpStatusCode.Forbidden, answer.Status);
                Assert.Equal(
                    "DENIED: a token cannot create, see or revoke tokens: sign in with your password", answer.Error);
            }
        }

        var shown = await stage.SendAsync("GET", $"/{id}", "admin");
        Assert.Equal("active", shown.Body.GetProperty("state").GetString());
    }

    [Fact]
    public async Task List_Person_SeesOwnTokensOnly()
    {
        var (first, _) = await stage.CreateAsync("alice");
        var (second, _) = await stage.CreateAsync("alice");
        var (foreign, _) = await stage.CreateAsync("bob");

        var own = await stage.SendAsync("GET", "", "alice");
        var named = await stage.SendAsync("GET", "?owner=user:alice", "alice");

        Assert.Equal(own.Ids, named.Ids);
        Assert.Contains(first, own.Ids);
        Assert.Contains(second, own.Ids);
        Assert.DoesNotContain(foreign, own.Ids);
        Assert.All(own.Body.GetProperty("tokens").EnumerateArray(), static token =>
            Assert.Equal("user:alice", token.GetProperty("owner").GetString()));
    }

    [Theory]
    [InlineData("?owner=user:bob")]
    [InlineData("?owner=user:nobody")]
    [InlineData("?owner=robot:alice")]
    [InlineData("?owner=*")]
    public async Task List_OthersTokens_AreForAdministrators(string query)
    {
        var person = await stage.SendAsync("GET", query, "alice");
        var administrator = await stage.SendAsync("GET", query, "admin");

        Assert.Equal(
            "DENIED: user:alice may see only their own tokens; the operator sets in tokens.administrators who may see "
                + "others",
            person.Error);
        Assert.Equal(HttpStatusCode.OK, administrator.Status);
    }

    [Fact]
    public async Task List_Administrator_SeesEverybodysOrOnes()
    {
        var (alices, _) = await stage.CreateAsync("alice");
        var (robots, _) = await stage.CreateAsync("admin", scopes: "[\"**:pull\"]", robot: "seen");

        var everybody = await stage.SendAsync("GET", "?owner=*", "admin");
        var one = await stage.SendAsync("GET", "?owner=robot:seen", "admin");
        var own = await stage.SendAsync("GET", "", "admin");

        Assert.Contains(alices, everybody.Ids);
        Assert.Contains(robots, everybody.Ids);
        Assert.Equal([robots], one.Ids);
        Assert.DoesNotContain(alices, own.Ids);
    }

    [Theory]
    [InlineData("?owner=alice")]
    [InlineData("?owner=")]
    [InlineData("?owner=user:")]
    [InlineData("?owner=group:team-a")]
    [InlineData("?owner=user:a&owner=user:b")]
    [InlineData("?Owner=user:alice")]
    [InlineData("?user=alice")]
    public async Task List_UnknownQuery_IsRefusedRatherThanGuessed(string query)
    {
        var answer = await stage.SendAsync("GET", query, "admin");

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
    }

    [Fact]
    public async Task Token_OfSomebodyElse_LooksLikeNone()
    {
        var (id, _) = await stage.CreateAsync("alice");

        foreach (var (method, target) in new[] { ("GET", ""), ("DELETE", ""), ("POST", "/rotate") })
        {
            var foreign = await stage.SendAsync(method, $"/{id}{target}", "bob", method == "POST" ? "{}" : null);
            var unknown = await stage.SendAsync(
                method, $"/000000000000{target}", "bob", method == "POST" ? "{}" : null);

            Assert.Equal(HttpStatusCode.NotFound, foreign.Status);
            Assert.Equal(HttpStatusCode.NotFound, unknown.Status);
            Assert.Equal(unknown.Error.Replace("000000000000", id, StringComparison.Ordinal), foreign.Error);
        }

        var shown = await stage.SendAsync("GET", $"/{id}", "alice");
        Assert.Equal("active", shown.Body.GetProperty("state").GetString());
    }

    [Fact]
    public async Task Revoke_OwnToken_AnswersAlikeEachTime()
    {
        var (id, _) = await stage.CreateAsync("alice");

        Assert.Equal(HttpStatusCode.NoContent, (await stage.SendAsync("DELETE", $"/{id}", "alice")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await stage.SendAsync("DELETE", $"/{id}", "alice")).Status);

        var shown = await stage.SendAsync("GET", $"/{id}", "alice");
        Assert.Equal("revoked", shown.Body.GetProperty("state").GetString());
        Assert.Equal(JsonValueKind.String, shown.Body.GetProperty("revokedAt").ValueKind);
    }

    [Fact]
    public async Task Administrator_MayEndButNotRotateAnothersToken()
    {
        var (id, _) = await stage.CreateAsync("alice");

        var rotated = await stage.SendAsync("POST", $"/{id}/rotate", "admin", "{}");
        var revoked = await stage.SendAsync("DELETE", $"/{id}", "admin");

        // The secret in the answer would make the administrator alice.
        Assert.Equal(
            "DENIED: only user:alice may rotate this token; an administrator may revoke it", rotated.Error);
        Assert.Equal(HttpStatusCode.NoContent, revoked.Status);
    }

    [Fact]
    public async Task Rotate_OwnToken_GivesANewOneAndTheOldOnesEnd()
    {
        var (id, secret) = await stage.CreateAsync("alice", scopes: "[\"team-a/**:pull\"]");

        var answer = await stage.SendAsync(
            "POST", $"/{id}/rotate", "alice", """{"overlap": "2h", "expiresIn": "7d"}""");

        Assert.Equal(HttpStatusCode.Created, answer.Status);
        Assert.NotEqual(secret, answer.Body.GetProperty("secret").GetString());
        Assert.Equal($"/api/v1/tokens/{answer.Token.GetProperty("id").GetString()}", answer.Location);
        var made = answer.Token.GetProperty("createdAt").GetDateTimeOffset();
        Assert.Equal(made + TimeSpan.FromDays(7), answer.Token.GetProperty("expiresAt").GetDateTimeOffset());
        Assert.Equal("[\"team-a/**:pull\"]", answer.Token.GetProperty("scopes").GetRawText());
        var old = answer.Body.GetProperty("replaced");
        Assert.Equal(id, old.GetProperty("id").GetString());
        Assert.Equal(made + TimeSpan.FromHours(2), old.GetProperty("expiresAt").GetDateTimeOffset());
        var shown = await stage.SendAsync("GET", $"/{id}", "alice");
        Assert.Equal(made + TimeSpan.FromHours(2), shown.Body.GetProperty("expiresAt").GetDateTimeOffset());
    }

    [Fact]
    public async Task Rotate_RobotsToken_IsForAdministrators()
    {
        var (id, _) = await stage.CreateAsync("admin", scopes: "[\"**:pull\"]", robot: "turning");

        Assert.Equal(HttpStatusCode.NotFound, (await stage.SendAsync("POST", $"/{id}/rotate", "alice", "{}")).Status);
        Assert.Equal(HttpStatusCode.Created, (await stage.SendAsync("POST", $"/{id}/rotate", "admin", "{}")).Status);
    }

    [Fact]
    public async Task Rotate_WrongBody_IsToldWhatWouldBeRight()
    {
        var (id, _) = await stage.CreateAsync("alice");

        var answer = await stage.SendAsync("POST", $"/{id}/rotate", "alice", """{"overlap": "soon", "scopes": null}""");

        Assert.Equal(
            "TOKEN_INVALID: scopes: there is no such member. Use only: overlap, expiresIn. "
            + "overlap: this is not a duration (found \"soon\"). Write integers with units (d, h, m, s), such as "
            + "\"30d\".",
            answer.Error);
    }

    [Fact]
    public async Task EveryOperation_ByAnotherSitesPage_IsRefused()
    {
        var (id, _) = await stage.CreateAsync("alice");
        foreach (var header in new[]
        {
            ("Origin", "https://evil.test"),
            ("Origin", "null"),
            ("Sec-Fetch-Site", "cross-site"),
        })
        {
            foreach (var (method, target) in Operations(id))
            {
                var answer = await stage.SendAsync(
                    method, target, "alice", method == "POST" ? Order : null, headers: header);

                Assert.Equal(HttpStatusCode.Forbidden, answer.Status);
                Assert.Null(answer.Challenge);
            }
        }

        var shown = await stage.SendAsync(
            "GET", $"/{id}", "alice",
            headers: [("Origin", "https://registry.test"), ("Sec-Fetch-Site", "same-origin")]);
        Assert.Equal("active", shown.Body.GetProperty("state").GetString());
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("")]
    public async Task Post_BodyThatIsNotJson_IsRefused(string type)
    {
        var (id, _) = await stage.CreateAsync("alice");

        Assert.Equal(
            HttpStatusCode.UnsupportedMediaType, (await stage.SendAsync("POST", "", "alice", Order, type)).Status);
        Assert.Equal(
            HttpStatusCode.UnsupportedMediaType,
            (await stage.SendAsync("POST", $"/{id}/rotate", "alice", "{}", type)).Status);
    }

    [Fact]
    public async Task Request_TwoAuthorizationHeaders_IsRefused()
    {
        var answer = await stage.Gateway.SendRawAsync(
            "GET /api/v1/tokens HTTP/1.1\r\nHost: registry.test\r\nConnection: close\r\n"
            + $"Authorization: {TestGateway.Basic("alice")}\r\nAuthorization: {TestGateway.Basic("admin")}\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
        Assert.Contains("the Authorization header is repeated", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/api/v1/Tokens")]
    [InlineData("/API/v1/tokens")]
    [InlineData("/api/v1/tokens/")]
    [InlineData("/api/v1/tokens//rotate")]
    [InlineData("/api/v1/tokens/k00000000000/")]
    [InlineData("/api/v1/tokens/k00000000000/rotate/")]
    [InlineData("/api/v1/tokens/k00000000000/renew")]
    [InlineData("/api/v1/tokens/k00000000000%2Frotate")]
    [InlineData("/api/v1/tokens/..%2Fx")]
    [InlineData("/api/v1/tokens/k0000000000%C3%A9")]
    [InlineData("/api/v1")]
    [InlineData("/api/")]
    [InlineData("/api/v2/tokens")]
    public async Task Request_AnotherPath_IsNotFound(string path)
    {
        using var answer = await stage.Gateway.SendAsync(HttpMethod.Get, path, "admin");

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    internal static (string Name, string Value) Authorization(string user, string password) => (
        "Authorization", "Basic " + Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{user}:{password}")));

    private static (string Method, string Target)[] Operations(string id) =>
        [("GET", ""), ("POST", ""), ("GET", $"/{id}"), ("DELETE", $"/{id}"), ("POST", $"/{id}/rotate")];
}
