using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Gateway.EndToEndTests.Support;
using Gateway.Server.Store.Keys;

namespace Gateway.EndToEndTests.Tokens;

/// <summary><c>forwardToken</c>: a running gateway in front of a registry that verifies the gateway's tokens.</summary>
public sealed class ForwardTokenTests : IAsyncLifetime, IDisposable
{
    private const string ManifestType = "application/vnd.oci.image.manifest.v1+json";

    private const string Policy = """
        groups: { team-a: [alice] }
        rules:
          - { name: admin, to: [ user:admin ], role: owner, on: [ "**" ] }
          - { name: team-a, to: [ group:team-a ], role: owner, on: [ "team-a/**" ] }
          - { name: bob, to: [ user:bob ], role: reader, on: [ "team-a/**" ] }
          - { name: release tags are immutable, deny: [ overwrite ], on: [ "**" ], tags: [ "v*" ] }
        """;

    private readonly SigningStage _stage = new(SigningAlgorithm.ES256);
    private RegistryProcess _registry = null!;
    private GatewayProcess _gateway = null!;

    public async Task InitializeAsync()
    {
        _registry = await _stage.StartRegistryAsync();
        _gateway = await GatewayProcess.StartAsync(new GatewaySettings
        {
            Upstream = _registry.Address,
            Policy = Policy,
            MoreYaml = $$"""tokens: { keys: { folder: "{{_stage.Folder}}" } }""",
            Environment = new Dictionary<string, string?>
            {
                // Known before the registry starts, unlike the gateway's port.
                ["GATEWAY__PublicUrl"] = SigningStage.PublicUrl,
                ["GATEWAY__Registries__0__ForwardToken"] = "true",
                ["GATEWAY__Registries__0__HealthCheck__Interval"] = "1s",
            },
        });
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _registry.DisposeAsync();
    }

    public void Dispose() => _stage.Dispose();

    [Fact]
    public async Task PushAndPull_ThroughTheGateway_PassTheRegistrysOwnCheck()
    {
        using var alice = Client("alice");
        using var bob = Client("bob");
        var layer = RandomNumberGenerator.GetBytes(300_000);
        var layerDigest = await PushBlobAsync(alice, "team-a/app", layer);
        var configDigest = await PushBlobAsync(alice, "team-a/app", "{}"u8.ToArray());
        var manifest = $$$"""
            {"schemaVersion":2,"mediaType":"{{{ManifestType}}}",
             "config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{{{configDigest}}}","size":2},
             "layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{{{layerDigest}}}","size":{{{layer.Length}}}}]}
            """;

        // A protected tag: the gateway asks the registry itself whether it exists.
        Assert.Equal(HttpStatusCode.Created, await PutManifestAsync(alice, "v1", manifest));
        Assert.Equal(HttpStatusCode.Forbidden, await PutManifestAsync(alice, "v1", manifest));
        Assert.Equal(HttpStatusCode.Created, await PutManifestAsync(alice, "latest", manifest));

        Assert.Equal(manifest, await bob.GetStringAsync("/v2/team-a/app/manifests/v1"));
        Assert.Equal(layer, await bob.GetByteArrayAsync($"/v2/team-a/app/blobs/{layerDigest}"));
        Assert.Contains("latest", await bob.GetStringAsync("/v2/team-a/app/tags/list"), StringComparison.Ordinal);
        Assert.Contains("team-a/app", await bob.GetStringAsync("/v2/_catalog"), StringComparison.Ordinal);
        using var mounted = await alice.PostAsync(
            $"/v2/team-a/copy/blobs/uploads/?mount={layerDigest}&from=team-a/app", null);
        Assert.Equal(HttpStatusCode.Created, mounted.StatusCode);
        using var started = await alice.PostAsync("/v2/team-a/app/blobs/uploads/", null);
        using var cancelled = await alice.DeleteAsync(started.Headers.Location);
        Assert.Equal(HttpStatusCode.NoContent, cancelled.StatusCode);
        using var deleted = await alice.DeleteAsync($"/v2/team-a/copy/blobs/{layerDigest}");
        Assert.Equal(HttpStatusCode.Accepted, deleted.StatusCode);
        Assert.DoesNotContain("refused the gateway's", _gateway.Log, StringComparison.Ordinal);
        using var management = new HttpClient();
        Assert.Contains(
            "\"registries\":{\"main\":\"ok\"}",
            await management.GetStringAsync(new Uri(_gateway.Management, "/readyz")),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Registry_AskedPastTheGateway_RefusesWhoeverComes()
    {
        using var client = new HttpClient { BaseAddress = _registry.Address };

        using var answer = await client.GetAsync("/v2/team-a/app/tags/list");

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    private HttpClient Client(string user)
    {
        var client = _gateway.CreateClient(user);
        client.DefaultRequestHeaders.Host = TrustedHost.Name; // the public URL has no port here
        client.DefaultRequestHeaders.Accept.ParseAdd(ManifestType);
        return client;
    }

    private static async Task<string> PushBlobAsync(HttpClient client, string repository, byte[] content)
    {
        using var started = await client.PostAsync($"/v2/{repository}/blobs/uploads/", null);
        Assert.Equal(HttpStatusCode.Accepted, started.StatusCode);
        using var patched = await client.PatchAsync(started.Headers.Location, new ByteArrayContent(content));
        Assert.Equal(HttpStatusCode.Accepted, patched.StatusCode);
        var digest = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(content));
        using var completed = await client.PutAsync($"{patched.Headers.Location}&digest={digest}", null);
        Assert.Equal(HttpStatusCode.Created, completed.StatusCode);
        return digest;
    }

    private static async Task<HttpStatusCode> PutManifestAsync(HttpClient client, string tag, string manifest)
    {
        using var content = new StringContent(manifest, Encoding.UTF8);
        content.Headers.ContentType = new MediaTypeHeaderValue(ManifestType);
        using var answer = await client.PutAsync($"/v2/team-a/app/manifests/{tag}", content);
        return answer.StatusCode;
    }
}
