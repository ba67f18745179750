using System.Collections.Concurrent;
using System.Net;
using Gateway.Core.Registry;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Routing;

namespace Gateway.Server.Registry.Proxying;

/// <summary>Reads an upstream's catalog page by page, whatever its page limit.</summary>
internal sealed class UpstreamCatalog(UpstreamClient upstream)
{
    private const int PageSize = 1_000; // whatever page a caller asks for: Distribution's greatest
    private const int LargestPage = 4 * 1024 * 1024;

    // Whose limit is lower: they give whatever page they give by themselves. Tried anew where a catalog is begun.
    private readonly ConcurrentDictionary<UpstreamRegistry, bool> _smaller = new();

    /// <summary>The names after a cursor, in the upstream's order.</summary>
    /// <param name="registry">The registry.</param>
    /// <param name="after">The upstream's name after which to begin, or <see langword="null"/>.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>
    /// The upstream's names, and the cursor of the page that follows; <see langword="null"/> where none does.
    /// </returns>
    /// <exception cref="UpstreamException">The upstream did not answer.</exception>
    public async Task<(IReadOnlyList<string> Names, string? Next)> ReadPageAsync(
        UpstreamRegistry registry, string? after, CancellationToken cancellationToken)
    {
        if (after is null)
        {
            _smaller.TryRemove(registry, out _);
        }

        var page = _smaller.ContainsKey(registry)
            ? null
            : await ReadPageAsync(registry, after, PageSize, cancellationToken);
        if (page is null)
        {
            _smaller[registry] = true;
            page = await ReadPageAsync(registry, after, size: null, cancellationToken);
        }

        return page!.Value;
    }

    private async Task<(IReadOnlyList<string> Names, string? Next)?> ReadPageAsync(
        UpstreamRegistry registry, string? last, int? size, CancellationToken cancellationToken)
    {
        var target = RegistryTarget.Build(new RegistryRequest
        {
            Operation = RegistryOperation.ListCatalog,
            Method = RegistryMethod.Get,
            Parameters = RegistryParameters.None with { PageSize = size, Last = last },
        });
        await using var answer = await upstream.SendAsync(
            registry, HttpMethod.Get, target, repository: null, cancellationToken);
        switch (answer.Status)
        {
            case HttpStatusCode.OK:
                var names = JsonStrings.Read(await answer.ReadBodyAsync(LargestPage), "repositories");
                var next = answer.Header("Link") is { } link && RegistryLink.TryParse(link, out var following)
                    ? following.Last
                    : null;
                return (names, next == last ? null : next);
            case HttpStatusCode.BadRequest when size is not null:
                return null;
            case HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed:
                throw new UpstreamException(new RegistryError(
                    "UNSUPPORTED", 404, "the registry behind the gateway has no catalog"));
            case >= HttpStatusCode.InternalServerError:
                throw new UpstreamException(UpstreamErrors.Failed((int)answer.Status));
            default:
                throw new UpstreamException(UpstreamErrors.Nonsense($"status {(int)answer.Status} for its catalog"));
        }
    }
}
