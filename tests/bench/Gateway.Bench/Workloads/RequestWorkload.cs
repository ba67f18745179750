using System.Net;
using System.Net.Http.Headers;
using Gateway.Bench.Fronts;
using Gateway.Bench.Load;

namespace Gateway.Bench.Workloads;

/// <summary>One request again and again on kept connections.</summary>
internal sealed class RequestWorkload(Lab lab) : IFrontWorkload, IDisposable
{
    private readonly Dictionary<Uri, HttpClient> _clients = [];

    /// <inheritdoc/>
    public required string Key { get; init; }

    /// <inheritdoc/>
    public required string Title { get; init; }

    /// <inheritdoc/>
    public Table Table { get; init; } = Table.Requests;

    /// <summary>GET or HEAD.</summary>
    public HttpMethod Method { get; init; } = HttpMethod.Get;

    /// <summary>The path; none: that of the front's token endpoint.</summary>
    public string? Path { get; init; }

    /// <summary>The scope of the access token that is sent, or asked for.</summary>
    public string Scope { get; init; } = "";

    /// <summary>The bytes that an answer has; none: any number.</summary>
    public long? Size { get; init; }

    /// <summary>The password that is sent instead of an access token.</summary>
    public Func<Front, Task<string>>? Password { get; init; }

    /// <summary>The fronts that can do it; none: all but those for blobs alone.</summary>
    public Func<string, bool>? Fronts { get; init; }

    /// <summary>
    /// How many requests one measurement has, and how many at the same time; none: as small requests.
    /// </summary>
    public (int Requests, int Connections)? Count { get; init; }

    /// <inheritdoc/>
    public bool AppliesTo(string front) => Fronts?.Invoke(front) ?? front != FrontSet.NginxUnbuffered;

    /// <inheritdoc/>
    public async Task<Measurement> RunAsync(Front front, CancellationToken cancellationToken)
    {
        if (!_clients.TryGetValue(front.Address, out var client))
        {
            _clients[front.Address] = client = lab.CreateClient(front.Address);
        }

        var authorization = Password is null
            ? await front.AuthorizeAsync(client, Scope)
            : Lab.BasicOf(Lab.User, await Password(front));
        var url = Path is null ? await Front.TokenUrlAsync(client, Scope) : new Uri(front.Address, Path);
        var (requests, connections) = Count
            ?? (front.IsSlow ? lab.Sizes.SlowRequests : lab.Sizes.Requests, Wrk.Connections);

        // That the answer is right, and the connections are there.
        await CountedLoad.RunAsync(
            Math.Min(connections, requests), connections,
            (_, cancellation) => SendAsync(client, url, authorization, cancellation), cancellationToken);
        var isForWrk = Count is null && !front.IsSlow && Method == HttpMethod.Get
            && (lab.Sizes.UsesWrk || (Path == "/v2/" && front.Key == FrontSet.Gateway));
        return await Measurement.TakeAsync(front, async () =>
        {
            if (isForWrk)
            {
                string[] headers = [
                    $"Accept: {Content.Accept}",
                    .. authorization is null ? Array.Empty<string>() : [$"Authorization: {authorization}"],
                ];
                return await Wrk.RunAsync(url, headers, lab.Sizes.WrkSeconds);
            }

            await CountedLoad.RunAsync(
                requests, connections,
                (_, cancellation) => SendAsync(client, url, authorization, cancellation), cancellationToken);
            return requests;
        });
    }

    public void Dispose()
    {
        foreach (var client in _clients.Values)
        {
            client.Dispose();
        }
    }

    private async Task SendAsync(
        HttpClient client, Uri url, AuthenticationHeaderValue? authorization, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(Method, url) { Headers = { Authorization = authorization } };
        request.Headers.TryAddWithoutValidation("Accept", Content.Accept);
        using var answer = await client.SendAsync(
            request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        Content.Expect(answer, HttpStatusCode.OK);
        var length = await ReadAsync(answer, cancellationToken);
        if (Size is { } size && length != size)
        {
            throw new BenchException($"{url} was answered with {length} bytes, not {size}.");
        }
    }

    private async Task<long> ReadAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        if (Method == HttpMethod.Head)
        {
            return answer.Content.Headers.ContentLength ?? 0;
        }

        await using var body = await answer.Content.ReadAsStreamAsync(cancellationToken);
        var buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(256 * 1024);
        try
        {
            long length = 0;
            int read;
            while ((read = await body.ReadAsync(buffer, cancellationToken)) > 0)
            {
                length += read;
            }

            return length;
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
