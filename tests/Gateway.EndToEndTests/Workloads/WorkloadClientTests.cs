using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.EndToEndTests.Clients;
using Gateway.EndToEndTests.Support;
using Gateway.Tests.Server.SignIn.Issuers;

namespace Gateway.EndToEndTests.Workloads;

/// <summary>A CI job with an ID token as its password: docker, podman and skopeo log in, push and pull.</summary>
[Collection(ClientMachine.Name)]
[Trait(SharedMachine.Trait, SharedMachine.Value)]
[SuppressMessage("Design", "CA1001", Justification = "xUnit calls IAsyncLifetime.DisposeAsync")]
public sealed class WorkloadClientTests(ClientsFixture stack, DockerEngine engine) : IAsyncLifetime
{
    private const string Audience = "https://registry.gateway.test";

    private readonly TestImage _image = TestImage.Create(size: 1024);
    private TestIssuer _issuer = null!;
    private ClientGateway _gateway = null!;

    public async Task InitializeAsync()
    {
        _issuer = await TestIssuer.StartAsync();
        _gateway = await ClientGateway.StartAsync(stack.Host, new GatewaySettings
        {
            Upstream = stack.Registry.Address,
            Policy = ClientsFixture.Policy + "\n" + """
                  - { name: main publishes, to: [ "issuer:github" ], when: { repository: acme/app, ref: refs/heads/main }, role: writer, on: [ "acme/**" ] }
                """,
            MoreAuthentication = $$"""
                , workloads: { github: { issuer: "{{_issuer.Url}}", audience: "{{Audience}}", rules: [ { name: acme, require: { repository_owner_id: "65" }, as: "{repository}" } ] } }
                """,
        });
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _issuer.DisposeAsync();
        _image.Dispose();
    }

    [Fact]
    public async Task Docker_LogsInPushesAndPulls() => await PushAndPullAsync(new DockerClient(_gateway, engine));

    [Fact]
    public async Task Podman_LogsInPushesAndPulls() => await PushAndPullAsync(new PodmanClient(_gateway, "podman"));

    [Fact]
    public async Task Skopeo_LogsInPushesAndPulls() => await PushAndPullAsync(new SkopeoClient(_gateway));

    // GitLab's and Entra's list groups. Only the sign-in is new here, so each client pushes little.
    [Theory]
    [InlineData("docker")]
    [InlineData("podman")]
    [InlineData("buildah")]
    [InlineData("skopeo")]
    [InlineData("crane")]
    [InlineData("oras")]
    public async Task LongToken_OfFifteenKibibytes_LogsInPushesAndPulls(string client)
    {
        var token = Token(moreGroups: 920);
        Assert.InRange(token.Length, 15_000, 16 * 1024);

        await PushAndPullAsync(
            client switch
            {
                "docker" => new DockerClient(_gateway, engine),
                "skopeo" => new SkopeoClient(_gateway),
                "crane" => new CraneClient(_gateway),
                "oras" => new OrasClient(_gateway),
                _ => new PodmanClient(_gateway, client),
            },
            token);
    }

    [Fact]
    public async Task Docker_WrongAudience_IsToldTheCause()
    {
        await using var docker = new DockerClient(_gateway, engine);

        var login = await docker.LoginAsync("github", Token(audience: "https://github.com/acme"));

        login.FailedWith("it was issued for another audience");
    }

    [Fact]
    public async Task Token_RevokedByTheOperator_EndsTheJob()
    {
        var token = Token();
        await _gateway.UntilAcceptedAsync("github", token);
        var list = await _gateway.RunCommandAsync("token", "list", "--json");
        using var json = JsonDocument.Parse(list.Succeeded());
        var entry = json.RootElement.GetProperty("tokens")
            .EnumerateArray()
            .Single(static entry => entry.GetProperty("kind").GetString() == "workload");
        Assert.Equal("workload:github/acme/app", entry.GetProperty("owner").GetString());

        (await _gateway.RunCommandAsync("token", "revoke", entry.GetProperty("id").GetString()!)).Succeeded();

        await _gateway.UntilRefusedAsync("github", token);
    }

    private async Task PushAndPullAsync(RegistryClient client, string? token = null)
    {
        await using (client)
        {
            var name = $"acme/app-{Guid.NewGuid():n}:1";
            (await client.LoginAsync("github", token ?? Token())).Succeeded();
            (await client.PushAsync(_image, name)).Succeeded();
            (await client.PullAsync(name)).Succeeded();
        }
    }

    private string Token(string audience = Audience, int moreGroups = 0)
    {
        var claims = _issuer.Claims(
            audience,
            "repo:acme/app:ref:refs/heads/main",
            TimeProvider.System.GetUtcNow(),
#pragma warning disable RCS0056 // one line of text
            """{"repository":"acme/app","repository_owner":"acme","repository_owner_id":"65","ref":"refs/heads/main","event_name":"push"}""");
#pragma warning restore RCS0056
        claims["groups"] = new JsonArray(
            [.. Enumerable.Range(0, moreGroups).Select(static i => (JsonNode)$"group-{i}")]);
        return _issuer.Sign(claims);
    }
}
