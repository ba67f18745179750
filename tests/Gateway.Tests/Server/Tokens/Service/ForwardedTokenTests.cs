using System.Net;
using System.Text;
using System.Text.Json;
using Gateway.Core.Authorization;
using Gateway.Server.Requests.Routing;
using Gateway.Server.Store.Keys;
using Gateway.Server.Tokens.Credentials;
using Gateway.Server.Tokens.Service;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.Server.Tokens.Service;

/// <summary><c>forwardToken</c>: each upstream request carries a token for exactly what was decided.</summary>
public sealed class ForwardedTokenTests : IAsyncLifetime
{
    private const string Digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    private RecordingUpstream _upstream = null!;
    private TestGateway _gateway = null!;

    public static TheoryData<string, string, string, string> Requests => new()
    {
        { "GET", "/v2/team-a/app/manifests/latest", "alice", "repository:team-a/app:pull" },
        { "HEAD", $"/v2/team-a/app/blobs/{Digest}", "bob", "repository:team-a/app:pull" },
        { "GET", "/v2/team-a/app/tags/list", "bob", "repository:team-a/app:pull" },
        { "GET", "/v2/public/app/manifests/latest", "", "repository:public/app:pull" },
        { "PUT", "/v2/team-a/app/manifests/latest", "alice", "repository:team-a/app:pull,push" },
        { "POST", "/v2/team-a/app/blobs/uploads/", "alice", "repository:team-a/app:pull,push" },
        { "POST", $"/v2/team-a/app/blobs/uploads/?mount={Digest}&from=public/base", "alice",
            "repository:team-a/app:pull,push repository:public/base:pull" },
        { "POST", $"/v2/team-a/app/blobs/uploads/?mount={Digest}&from=secret/base", "alice",
            "repository:team-a/app:pull,push" },
        { "DELETE", $"/v2/team-a/app/manifests/{Digest}", "admin", "repository:team-a/app:delete" },
        { "GET", "/v2/mirror/library/alpine/manifests/3", "admin", "repository:library/alpine:pull" },
        { "POST", $"/v2/mirror/x/blobs/uploads/?mount={Digest}&from=mirror/y", "admin",
            "repository:x:pull,push repository:y:pull" },
    };

    public async Task InitializeAsync()
    {
        _upstream = await RecordingUpstream.StartAsync();
        _upstream.Respond = static context =>
        {
            if (context.Request.Path.Value!.EndsWith("/_catalog", StringComparison.Ordinal))
            {
                return context.Response.WriteAsync("{\"repositories\":[]}");
            }

            if (context.Request.Method == "POST")
            {
                context.Response.StatusCode = StatusCodes.Status202Accepted;
            }

            return Task.CompletedTask;
        };
        _gateway = await TestGateway.StartAsync(
            [
                new RegistryOptions { Name = "main", Upstreams = [_upstream.Address], ForwardToken = true },
                new RegistryOptions
                {
                    Name = "mirror",
                    Upstreams = [_upstream.Address],
                    ForwardToken = true,
                    Prefix = "mirror",
                    StripPrefix = true,
                },
            ],
            TestGateway.DefaultPolicy);
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task Request_ThatIsAllowed_CarriesATokenForExactlyThat(
        string method, string target, string user, string scope)
    {
        using var content = method == "PUT"
            ? new StringContent("{}", Encoding.UTF8, "application/vnd.oci.image.manifest.v1+json")
            : null;

        using var answer = await _gateway.SendAsync(
            new HttpMethod(method), target, user.Length == 0 ? null : user, content,
            // Nobody's credentials, as podman sends them: without any, the gateway only asks for some.
            user.Length == 0 ? ("Authorization", "Basic Og==") : ("Cookie", "client=1"));

        var request = Assert.Single(_upstream.Requests);
        var claims = Claims(request);
        Assert.Equal(scope, ScopeOf(claims));
        Assert.Equal(user.Length == 0 ? "" : "user:" + user, claims.GetProperty("sub").GetString());
        Assert.Equal("https://registry.test", claims.GetProperty("iss").GetString());
        Assert.Equal("registry.test", claims.GetProperty("aud").GetString());
        Assert.Equal(120, claims.GetProperty("exp").GetInt64() - claims.GetProperty("iat").GetInt64());
    }

    [Fact]
    public async Task Request_OfARobotNamedLikeAUser_CarriesAnotherSubject()
    {
        await _gateway.DisposeAsync();
        _gateway = await TestGateway.StartAsync(
            [new RegistryOptions { Name = "main", Upstreams = [_upstream.Address], ForwardToken = true }],
            """
            rules: [ { name: both, to: [ "user:admin", "robot:admin" ], role: owner, on: [ "**" ] } ]
            """);
        Assert.True(CredentialLimit.TryParse(["team-a/**:pull"], out var limit, out _));
        var made = Assert.IsType<CredentialOutcome.Issued>(
            await _gateway.Services.GetRequiredService<CredentialService>().CreateAsync(
                new CredentialOrder
                {
                    Owner = CredentialOwner.Robot("admin"),
                    Name = "ci",
                    Limit = limit,
                    CreatedBy = "operator",
                },
                default));

        using var user = await _gateway.SendAsync(HttpMethod.Get, "/v2/team-a/app/manifests/latest", "admin");
        using var other = await _gateway.SendAsync(
            HttpMethod.Get, "/v2/team-a/app/manifests/latest", null, null,
            ("Authorization",
                "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"admin:{made.Secret.Reveal()}"))));

        Assert.Equal(
            ["user:admin", "robot:admin"],
            _upstream.Requests.Select(static request => Claims(request).GetProperty("sub").GetString()));
    }

    [Fact]
    public async Task Catalog_AskedByTheGatewayItself_CarriesATokenForTheCatalog()
    {
        using var answer = await _gateway.SendAsync(HttpMethod.Get, "/v2/_catalog", "admin");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(2, _upstream.Requests.Count);
        Assert.All(_upstream.Requests, static request =>
        {
            Assert.Equal("registry:catalog:*", ScopeOf(Claims(request)));
            Assert.Equal("gateway:self", Claims(request).GetProperty("sub").GetString());
        });
    }

    [Fact]
    public async Task Request_Repeated_UsesTheSameTokenAndAnotherUserAnother()
    {
        foreach (var user in new[] { "alice", "alice", "bob" })
        {
            using var answer = await _gateway.SendAsync(HttpMethod.Get, "/v2/team-a/app/manifests/latest", user);
        }

        var tokens = _upstream.Requests.Select(static request => request.Headers["Authorization"]).ToList();
        Assert.Equal(tokens[0], tokens[1]);
        Assert.NotEqual(tokens[0], tokens[2]);
    }

    [Fact]
    public void Header_AfterAMinuteOrWithANewKey_IsAnotherToken()
    {
        var stage = new TokenStage();
        var tokens = new UpstreamTokens(stage.Keys, stage.Router, stage.Clock);
        var catalog = default(UpstreamAccess);
        var first = tokens.HeaderFor("alice", catalog);
        stage.Clock.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(first, tokens.HeaderFor("alice", catalog));
        stage.Clock.Advance(TimeSpan.FromSeconds(1));
        var second = tokens.HeaderFor("alice", catalog);
        Assert.NotEqual(first, second);

        var next = TestSigningKeys.Create(SigningAlgorithm.ES256, stage.Clock.GetUtcNow());
        stage.Keys.Current = new SigningKeyRing([stage.Keys.Key, next]);

        Assert.NotEqual(second, tokens.HeaderFor("alice", catalog));
    }

    [Fact]
    public void Header_ShownToTheGateway_IsRefused()
    {
        var stage = new TokenStage();
        var header = new UpstreamTokens(stage.Keys, stage.Router, stage.Clock).HeaderFor("alice", default);

        Assert.Equal(
            "its payload is not in the form that this gateway writes",
            stage.Refuse(header["Bearer ".Length..]).Reason);
        stage.Accept(stage.Issue());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Refusal_ByTheUpstream_IsAnsweredAsOursAndLoggedOnceWithTheRegistry(bool forwardToken)
    {
        using var sink = new LogSink();
        _upstream.Respond = static context =>
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            context.Response.Headers.WWWAuthenticate = "Bearer realm=\"https://evil.example/token\"";
            return Task.CompletedTask;
        };
        await using var gateway = await TestGateway.StartAsync(
            [new RegistryOptions { Name = "main", Upstreams = [_upstream.Address], ForwardToken = forwardToken }],
            TestGateway.DefaultPolicy,
            static options => options.Log.Level = LogLevel.Information,
            builder => builder.Services.AddSingleton<ILoggerProvider>(sink));

        foreach (var target in new[]
        {
            "/v2/team-a/app/manifests/latest",
            "/v2/_catalog",
            "/v2/team-a/app/manifests/latest",
        })
        {
            using var answer = await gateway.SendAsync(HttpMethod.Get, target, "admin");
            Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
            Assert.Empty(answer.Headers.WwwAuthenticate);
            using var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
            Assert.EndsWith(
                forwardToken
                    ? "refused the gateway's token; its operator must run \"gateway keys probe\""
                    : "must set \"credential\"",
                body.RootElement.GetProperty("errors")[0].GetProperty("message").GetString(),
                StringComparison.Ordinal);
        }

        var line = Assert.Single(
            sink.Lines, static line => line.Contains("UpstreamAuthorization", StringComparison.Ordinal));
        Assert.Contains("Registry main answered 401", line, StringComparison.Ordinal);
        Assert.Contains(
            forwardToken ? "\"gateway keys probe main\" tells why" : "Set the registry's \"credential\"",
            line,
            StringComparison.Ordinal);
    }

    private static JsonElement Claims(RecordedRequest request)
    {
        var token = request.Headers["Authorization"];
        Assert.StartsWith("Bearer ", token, StringComparison.Ordinal);
        return JsonDocument.Parse(Forge.Decode(Forge.Parts(token["Bearer ".Length..]).Payload)).RootElement;
    }

    private static string ScopeOf(JsonElement claims) =>
        string.Join(' ', claims.GetProperty("access").EnumerateArray().Select(
        static entry => $"{entry.GetProperty("type")}:{entry.GetProperty("name")}:"
            + string.Join(',', entry.GetProperty("actions").EnumerateArray())));
}
