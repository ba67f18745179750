using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.EndToEndTests.Support;
using Gateway.Tests.Support;

namespace Gateway.EndToEndTests.Stack;

/// <summary>The gateway's image with the images that it is made for, each in a container.</summary>
[Collection(SharedMachine.Name)]
[Trait(SharedMachine.Trait, SharedMachine.Value)]
public sealed class RegistryContainersTests(RegistryContainersFixture fixture)
    : IClassFixture<RegistryContainersFixture>
{
    private const string ManifestType = "application/vnd.oci.image.manifest.v1+json";

    [Fact]
    public async Task PushAndPull_EachRegistry_KeepsTheImageUnderItsOwnName()
    {
        using var alice = fixture.CreateClient("alice");
        using var bob = fixture.CreateClient("bob");
        bob.DefaultRequestHeaders.Accept.ParseAdd($"{ManifestType}, */*");
        Assert.Contains("second", fixture.Registries.Keys);
        foreach (var (prefix, container) in fixture.Registries)
        {
            var repository = prefix + "/team-a/app";
            var config = "{}"u8.ToArray();
            var layer = RandomNumberGenerator.GetBytes(3 * 1024 * 1024);
            var manifest = Encoding.UTF8.GetBytes($$"""
                {"schemaVersion":2,"mediaType":"{{ManifestType}}",
                "config":{"mediaType":"application/vnd.oci.image.config.v1+json",
                "digest":"{{DigestOf(config)}}","size":{{config.Length}}},
                "layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar",
                "digest":"{{DigestOf(layer)}}","size":{{layer.Length}}}]}
                """);

            Assert.Equal(HttpStatusCode.Created, await PushBlobAsync(alice, repository, config));
            Assert.Equal(HttpStatusCode.Created, await PushBlobAsync(alice, repository, layer));
            Assert.Equal(HttpStatusCode.Created, await PutManifestAsync(alice, repository, manifest));

            Assert.Equal(manifest, await bob.GetByteArrayAsync(Path(repository, "manifests/1.0")));
            Assert.Equal(layer, await bob.GetByteArrayAsync(Path(repository, "blobs/" + DigestOf(layer))));
            Assert.Equal(HttpStatusCode.Forbidden, await PutManifestAsync(bob, repository, manifest));
            using var registry = RegistryContainersFixture.CreateClient(container);
            registry.DefaultRequestHeaders.Accept.ParseAdd(ManifestType);
            Assert.Equal(manifest, await registry.GetByteArrayAsync(Path("team-a/app", "manifests/1.0")));
        }
    }

    [Fact]
    public async Task Token_KeptInRedis_OutlivesTheGatewayAndIsRevokedForGood()
    {
        var made = JsonNode.Parse(
            await fixture.RunAsync("token", "create", "laptop", "--user", "alice", "--all", "--json"))!;
        var (id, secret) = ((string)made["token"]!["id"]!, (string)made["secret"]!);
        Secrets.Know("a token", secret);
        var keys = await fixture.Redis.ExecAsync(["redis-cli", "DBSIZE"]);
        Assert.NotEqual("0", keys.Stdout.Trim());
        Assert.Equal(HttpStatusCode.OK, await SignInAsync());

        await fixture.Gateway.StopAsync();
        await fixture.Gateway.StartAsync();
        Assert.Equal(HttpStatusCode.OK, await SignInAsync());

        await fixture.RunAsync("token", "revoke", id);
        await Eventually.TrueAsync(async () => await SignInAsync() == HttpStatusCode.Unauthorized);

        async Task<HttpStatusCode> SignInAsync()
        {
            using var client = fixture.CreateClient("alice", secret);
            using var answer = await client.GetAsync(new Uri("/v2/", UriKind.Relative));
            return answer.StatusCode;
        }
    }

    private static async Task<HttpStatusCode> PushBlobAsync(HttpClient client, string repository, byte[] content)
    {
        using var start = await client.PostAsync(Path(repository, "blobs/uploads/"), null);
        Assert.Equal(HttpStatusCode.Accepted, start.StatusCode);
        using var answer = await client.PutAsync(
            new Uri($"{start.Headers.Location}&digest={DigestOf(content)}"), new ByteArrayContent(content));
        return answer.StatusCode;
    }

    private static async Task<HttpStatusCode> PutManifestAsync(HttpClient client, string repository, byte[] manifest)
    {
        using var content = new ByteArrayContent(manifest)
        {
            Headers = { ContentType = new MediaTypeHeaderValue(ManifestType) },
        };
        using var answer = await client.PutAsync(Path(repository, "manifests/1.0"), content);
        return answer.StatusCode;
    }

    private static Uri Path(string repository, string rest) => new($"/v2/{repository}/{rest}", UriKind.Relative);

    private static string DigestOf(byte[] content) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(content));
}
