using System.Net;
using System.Text.Json;
using Gateway.Server.Limits.RateLimiting;
using Gateway.Server.Store.State;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Tokens.Credentials;

/// <summary>The description against the real thing.</summary>
public sealed class OpenApiTests(TokenApiStage stage) : IClassFixture<TokenApiStage>
{
    private const string Order = """{"name": "laptop", "scopes": null}""";

    [Fact]
    public async Task Description_IsServedToEverybody_AsItStandsInTheSource()
    {
        using var answer = await stage.Gateway.SendAsync(HttpMethod.Get, "/api/v1/openapi.json");

        await stage.Description.CheckAsync(answer, "GET", "/api/v1/openapi.json");
        Assert.Equal(
            await File.ReadAllTextAsync(
                Path.Combine(RepositoryRoot.Path, "src", "Gateway.Server", "Tokens", "Credentials", "openapi.json")),
            await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Routes_EveryMethod_IsDescribedOrRefused()
    {
        foreach (var (path, methods) in stage.Description.Routes)
        {
            var target = path.Replace("{id}", "k00000000000", StringComparison.Ordinal);
            foreach (var method in new[] { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" })
            {
                using var answer = await stage.Gateway.SendAsync(new HttpMethod(method), target);
                if (methods.Contains(method))
                {
                    Assert.NotEqual(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
                    Assert.NotEqual(HttpStatusCode.NotFound, answer.StatusCode);
                }
                else
                {
                    Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
                    Assert.Equal(methods.Order(), answer.Content.Headers.Allow.Order());
                }
            }
        }
    }

    [Theory]
    [InlineData("TokenOrder", "")]
    [InlineData("Rotation", "/{id}/rotate")]
    public async Task Bodies_Members_AreThoseDescribed(string schema, string target)
    {
        var (id, _) = await stage.CreateAsync("alice");

        var answer = await stage.SendAsync(
            "POST", target.Replace("{id}", id, StringComparison.Ordinal), "alice", """{"another": 1}""");

        var members = stage.Description.Schema(schema).GetProperty("properties").EnumerateObject();
        Assert.Contains(
            $"Use only: {string.Join(", ", members.Select(static member => member.Name))}.", answer.Error,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"name": "laptop", "scopes": null}""")]
    [InlineData("""{"name": "laptop", "scopes": ["a:pull"], "expiresIn": "30d", "robot": "ci-deploy"}""")]
    public async Task Bodies_AsDescribed_AreTaken(string body)
    {
        using var document = JsonDocument.Parse(body);
        stage.Description.Check(document.RootElement, stage.Description.Schema("TokenOrder"), "body");

        Assert.Equal(HttpStatusCode.Created, (await stage.SendAsync("POST", "", "admin", body)).Status);
    }

    [Fact]
    public async Task Answers_AllThatAreDescribed_AreGiven()
    {
        await using var redis = await RedisServer.StartAsync(); // a store that can be taken away
        var own = new TokenApiStage();
        await own.StartAsync(options =>
        {
            (options.State.Store, options.Redis) = (StateStoreKind.Redis, redis.Options);
            options.Limits.Rules =
            [
                new LimitRuleOptions
                {
                    Name = "guesses", Classes = [LimitClass.SignInFailure], Per = [LimitPartition.Subject],
                    Rate = 1, Window = TimeSpan.FromHours(1),
                },
            ];
        });
        try
        {
            await ProvokeAsync(own, redis);

            Assert.Equal(
                own.Description.Answers.Where(static answer => !answer.Contains("openapi", StringComparison.Ordinal))
                    .Order(StringComparer.Ordinal),
                own.Seen.Order(StringComparer.Ordinal));
        }
        finally
        {
            await own.DisposeAsync();
        }
    }

    private static async Task ProvokeAsync(TokenApiStage stage, RedisServer redis)
    {
        var (id, secret) = await stage.CreateAsync("alice");
        var token = TokenApiTests.Authorization("alice", secret);
        (string Method, string Target)[] operations =
            [("GET", ""), ("POST", ""), ("GET", $"/{id}"), ("DELETE", $"/{id}"), ("POST", $"/{id}/rotate")];
        foreach (var (method, target) in operations)
        {
            await stage.SendAsync(method, target, null, method == "POST" ? Order : null); // 401
            await stage.SendAsync(method, target, null, method == "POST" ? Order : null, headers: token); // 403
            if (target.Length > 0)
            {
                var unknown = target.Replace(id, "k00000000000", StringComparison.Ordinal);
                await stage.SendAsync(method, unknown, "alice", method == "POST" ? "{}" : null); // 404
            }

            if (method == "POST")
            {
                await stage.SendAsync(method, target, "alice", "{}", "text/plain"); // 415
                await stage.SendAsync(method, target, "alice", "{\"x\": 1}"); // 400
                await stage.SendAsync(method, target, "alice", new string(' ', 70_000)); // 413
            }
        }

        await stage.SendAsync("GET", "?owner=", "alice"); // 400
        await stage.SendAsync("GET", "", "alice");
        await stage.SendAsync("GET", $"/{id}", "alice");
        await stage.SendAsync("POST", $"/{id}/rotate", "alice", """{"overlap": "0s"}""");
        await stage.SendAsync("POST", $"/{id}/rotate", "alice", "{}"); // 409: it has ended
        await stage.SendAsync("DELETE", $"/{id}", "alice");
        while ((await stage.SendAsync("POST", "", "alice", Order)).Status == HttpStatusCode.Created)
        {
            // until there are too many: 409
        }

        await stage.SendAsync("GET", "?owner=user:alice", "alice");
        foreach (var (method, target) in operations)
        {
            var answer = default(ApiAnswer);
            for (var guess = 0; guess < 20 && answer?.Status != HttpStatusCode.TooManyRequests; guess++) // 429
            {
                answer = await stage.SendAsync(
                    method, target, null, method == "POST" ? Order : null,
                    headers: TokenApiTests.Authorization("bob", $"{Guid.NewGuid()}"));
            }
        }

        await redis.KillAsync();
        foreach (var (method, target) in operations)
        {
            // 503
            await stage.SendAsync(
                method, target, "alice", method == "POST" ? (target.Length == 0 ? Order : "{}") : null);
        }
    }
}
