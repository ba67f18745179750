using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Gateway.Core.Authorization;
using Gateway.Server.Store.Keys;

namespace Gateway.EndToEndTests.Tokens;

/// <summary>
/// An unmodified registry with <c>auth.token</c> set to the gateway's key, as the independent reader of its tokens.
/// </summary>
public sealed class DistributionTokenTests
{
    private const string Repository = "team-a/app";
    private static readonly byte[] Content = RandomNumberGenerator.GetBytes(100_000);
    private static readonly string Digest = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Content));

    [Theory]
    [InlineData(nameof(SigningAlgorithm.ES256))]
    [InlineData(nameof(SigningAlgorithm.RS256))]
    public async Task Registry_WithTheGatewaysKey_AllowsExactlyWhatTheTokenGrants(string algorithm)
    {
        using var stage = new SigningStage(Enum.Parse<SigningAlgorithm>(algorithm));
        await using var registry = await stage.StartRegistryAsync();
        using var client = new HttpClient { BaseAddress = registry.Address };
        var (nothing, pull) = (stage.Issue(), stage.Issue(Repository, RepositoryActions.Pull));
        var push = stage.Issue(Repository, RepositoryActions.Pull | RepositoryActions.Push);
        var delete = stage.Issue(Repository, RepositoryActions.Delete);
        var blob = $"/v2/{Repository}/blobs/{Digest}";

        Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync(client, HttpMethod.Get, "/v2/", null));
        Assert.Equal(HttpStatusCode.OK, await SendAsync(client, HttpMethod.Get, "/v2/", nothing));
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            await SendAsync(client, HttpMethod.Post, $"/v2/{Repository}/blobs/uploads/", pull));
        Assert.Equal(HttpStatusCode.Created, await PushAsync(client, push));

        Assert.Equal(HttpStatusCode.OK, await SendAsync(client, HttpMethod.Get, blob, pull));
        Assert.Equal(HttpStatusCode.OK, await SendAsync(client, HttpMethod.Get, blob, push));
        Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync(client, HttpMethod.Get, blob, nothing));
        Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync(client, HttpMethod.Get, blob, delete));
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            await SendAsync(client, HttpMethod.Get, $"/v2/team-b/app/blobs/{Digest}", pull));
        Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync(client, HttpMethod.Delete, blob, push));
        Assert.Equal(HttpStatusCode.Accepted, await SendAsync(client, HttpMethod.Delete, blob, delete));
        Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync(client, HttpMethod.Get, "/v2/_catalog", push));
        Assert.Equal(
            HttpStatusCode.OK, await SendAsync(client, HttpMethod.Get, "/v2/_catalog", stage.Issue(catalog: true)));
    }

    [Theory]
    [InlineData(nameof(SigningAlgorithm.ES256))]
    [InlineData(nameof(SigningAlgorithm.RS256))]
    public async Task Registry_WithoutTheGatewaysKey_RefusesTheToken(string algorithm)
    {
        using var stage = new SigningStage(Enum.Parse<SigningAlgorithm>(algorithm));
        using var stranger = new SigningStage(Enum.Parse<SigningAlgorithm>(algorithm));
        await using var registry = await stage.StartRegistryAsync();
        using var client = new HttpClient { BaseAddress = registry.Address };

        Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync(client, HttpMethod.Get, "/v2/", stranger.Issue()));
        Assert.Equal(HttpStatusCode.OK, await SendAsync(client, HttpMethod.Get, "/v2/", stage.Issue()));
    }

    private static async Task<HttpStatusCode> PushAsync(HttpClient client, string token)
    {
        using var start = Request(HttpMethod.Post, $"/v2/{Repository}/blobs/uploads/", token);
        using var started = await client.SendAsync(start);
        Assert.Equal(HttpStatusCode.Accepted, started.StatusCode);
        using var put = Request(HttpMethod.Put, $"{started.Headers.Location!.PathAndQuery}&digest={Digest}", token);
        put.Content = new ByteArrayContent(Content);
        using var completed = await client.SendAsync(put);
        return completed.StatusCode;
    }

    private static async Task<HttpStatusCode> SendAsync(
        HttpClient client, HttpMethod method, string target, string? token)
    {
        using var request = Request(method, target, token);
        using var answer = await client.SendAsync(request);
        return answer.StatusCode;
    }

    private static HttpRequestMessage Request(HttpMethod method, string target, string? token)
    {
        var request = new HttpRequestMessage(method, target);
        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        return request;
    }
}
