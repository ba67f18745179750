using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Uploads;

/// <summary>
/// An upload that lasts several lives of its access token, request by request, against an unmodified registry.
/// </summary>
public sealed class LongUploadTests : IAsyncLifetime
{
    private const string PullAndPush = "repository:team-a/app:pull,push";
    private static readonly TimeSpan TwoLives = TimeSpan.FromMinutes(10);

    private RegistryProcess _registry = null!;
    private ClockedGateway _gateway = null!;
    private HttpClient _client = null!;

    public async Task InitializeAsync()
    {
        _registry = await RegistryProcess.StartAsync();
        _gateway = await ClockedGateway.StartAsync(_registry.Address);
        _client = _gateway.CreateClient();
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        await _gateway.DisposeAsync();
        await _registry.DisposeAsync();
    }

    [Fact]
    public async Task Upload_OfManyChunks_EndsWithTheTokenItBeganWith()
    {
        var content = RandomNumberGenerator.GetBytes(8 * 1024 * 1024);
        var digest = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(content));
        var token = await _gateway.TokenAsync(_client, PullAndPush);
        var blob = new Uri($"/v2/team-a/app/blobs/{digest}", UriKind.Relative);

        var location = await GoOnAsync(
            HttpMethod.Post, new Uri("/v2/team-a/app/blobs/uploads/", UriKind.Relative), token);
        foreach (var chunk in content.Chunk(1024 * 1024))
        {
            _gateway.Clock.Advance(TwoLives);
            location = await GoOnAsync(HttpMethod.Patch, location, token, new ByteArrayContent(chunk));
        }

        _gateway.Clock.Advance(TwoLives);
        using var status = await SendAsync(HttpMethod.Get, location, token);
        Assert.Equal(HttpStatusCode.NoContent, status.StatusCode);
        Assert.Equal($"0-{content.Length - 1}", status.Headers.GetValues("Range").Single());

        // The token is good for this upload and for nothing else by now.
        using var read = await SendAsync(HttpMethod.Get, blob, token);
        using var another = await SendAsync(
            HttpMethod.Post, new Uri("/v2/team-a/app/blobs/uploads/", UriKind.Relative), token);
        using var withoutTicket = await SendAsync(
            HttpMethod.Put, new Uri($"{location.GetLeftPart(UriPartial.Path)}?digest={digest}"), token);
        foreach (var refused in new[] { read, another, withoutTicket })
        {
            Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
            Assert.Contains(
                "error=\"invalid_token\"", refused.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        }

        using var completed = await SendAsync(HttpMethod.Put, new Uri($"{location}&digest={digest}"), token);
        Assert.Equal(HttpStatusCode.Created, completed.StatusCode);
        Assert.Equal($"https://{_gateway.Authority}{blob}", completed.Headers.Location!.ToString());

        using var pulled = await SendAsync(HttpMethod.Get, blob, await _gateway.TokenAsync(_client, PullAndPush));
        Assert.Equal(content, await pulled.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Ticket_AfterItsUploadWasCompletedOrGivenUp_LeadsNowhere()
    {
        var content = RandomNumberGenerator.GetBytes(1000);
        var digest = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(content));
        var start = new Uri("/v2/team-a/app/blobs/uploads/", UriKind.Relative);
        var token = await _gateway.TokenAsync(_client, PullAndPush);
        var done = await GoOnAsync(HttpMethod.Post, start, token);
        var givenUp = await GoOnAsync(HttpMethod.Post, start, token);
        using var completed = await SendAsync(
            HttpMethod.Put, new Uri($"{done}&digest={digest}"), token, new ByteArrayContent(content));
        using var cancelled = await SendAsync(HttpMethod.Delete, givenUp, token);
        Assert.Equal(HttpStatusCode.Created, completed.StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, cancelled.StatusCode);

        foreach (var location in new[] { done, givenUp })
        {
            using var appended = await SendAsync(HttpMethod.Patch, location, token, new ByteArrayContent([1]));
            using var again = await SendAsync(HttpMethod.Put, new Uri($"{location}&digest={digest}"), token);
            Assert.Equal(HttpStatusCode.NotFound, appended.StatusCode);
            Assert.Equal(HttpStatusCode.NotFound, again.StatusCode);
        }
    }

    private Task<HttpResponseMessage> SendAsync(
        HttpMethod method, Uri target, string token, HttpContent? content = null)
    {
        var request = new HttpRequestMessage(method, target) { Content = content };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return _client.SendAsync(request);
    }

    private async Task<Uri> GoOnAsync(HttpMethod method, Uri target, string token, HttpContent? content = null)
    {
        using var answer = await SendAsync(method, target, token, content);
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync());
        return answer.Headers.Location!;
    }
}
