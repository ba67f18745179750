using System.Net;
using System.Runtime.CompilerServices;
using Gateway.Core.Registry;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Routing;

namespace Gateway.Server.Registry.Proxying;

/// <summary>Walks an upstream's catalog page by page, whatever its page limit.</summary>
internal sealed class UpstreamCatalog(UpstreamClient upstream)
{
    private const int PageSize = 1_000;
    private const int LargestPage = 4 * 1024 * 1024;

    private const int MostPages = 2_000; // a caller who may see little of a large registry walks all of it

    /// <summary>The public names of the repositories after <paramref name="last"/>, in the upstream's order.</summary>
    /// <param name="registry">The registry.</param>
    /// <param name="last">The upstream's name after which to begin, or <see langword="null"/>.</param>
    /// <param name="cancellationToken">The client's leaving.</param>
    /// <exception cref="UpstreamException">The upstream did not answer, or its catalog does not end.</exception>
    public async IAsyncEnumerable<RepositoryName> ListAsync(
        UpstreamRegistry registry, string? last, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        int? size = PageSize;
        for (var page = 0; page < MostPages; page++)
        {
            var (names, next) = await ReadPageAsync(registry, last, size, cancellationToken);
            if (names is null)
            {
                size = null; // the upstream's limit is lower: take whatever page it gives by itself
                continue;
            }

            foreach (var name in names)
            {
                if (registry.TryToPublic(name, out var repository))
                {
                    yield return repository;
                }
            }

            if (next is null || next == last)
            {
                yield break;
            }

            last = next;
        }

        throw new UpstreamException(UpstreamErrors.Nonsense("its catalog does not end"));
    }

    private async Task<(IReadOnlyList<string>? Names, string? Next)> ReadPageAsync(
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
                return (names, next);
            case HttpStatusCode.BadRequest when size is not null:
                return (null, null);
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
