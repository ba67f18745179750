using System.Net;
using System.Text.Json;
using Gateway.Core.Registry;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Routing;

namespace Gateway.Server.Registry.Proxying;

/// <summary>
/// What the gateway must know of an upstream's tags: for rules about tags, and for lists that rules filter.
/// </summary>
internal sealed class UpstreamTags(UpstreamClient upstream)
{
    private const int LargestManifest = 4 * 1024 * 1024;
    private const int LargestTagList = 32 * 1024 * 1024;
    private const int MostPages = 1_000;
    private const int DeepestIndex = 4;

    /// <summary>Whether a tag exists.</summary>
    /// <exception cref="UpstreamException">The upstream did not say.</exception>
    public async Task<bool> ExistsAsync(
        UpstreamRegistry registry, RepositoryName repository, Tag tag, CancellationToken cancellationToken)
    {
        await using var answer = await upstream.SendAsync(
            registry, HttpMethod.Head, Manifest(registry, repository, Reference.To(tag)), repository,
            cancellationToken);
        return answer.Status switch
        {
            HttpStatusCode.OK => true,
            HttpStatusCode.NotFound => false,
            var status => throw Unusable(status),
        };
    }

    /// <summary>
    /// Every tag of a repository, or <see langword="null"/> where the upstream knows no such repository.
    /// </summary>
    /// <exception cref="UpstreamException">The upstream did not say.</exception>
    public async Task<IReadOnlyList<Tag>?> ListAsync(
        UpstreamRegistry registry, RepositoryName repository, CancellationToken cancellationToken)
    {
        var tags = new List<Tag>();
        var parameters = RegistryParameters.None;
        for (var page = 0; page < MostPages; page++)
        {
            var target = RegistryTarget.Build(
                new RegistryRequest
                {
                    Operation = RegistryOperation.ListTags,
                    Method = RegistryMethod.Get,
                    Repository = repository,
                    Parameters = parameters,
                },
                registry.ToUpstream(repository));
            await using var answer = await upstream.SendAsync(
                registry, HttpMethod.Get, target, repository, cancellationToken);
            if (answer.Status == HttpStatusCode.NotFound)
            {
                return page == 0 ? null : tags;
            }

            if (answer.Status != HttpStatusCode.OK)
            {
                throw Unusable(answer.Status);
            }

            Read(await answer.ReadBodyAsync(LargestTagList), tags);
            if (answer.Header("Link") is not { } link || !RegistryLink.TryParse(link, out var following)
                || following.Last == parameters.Last)
            {
                return tags;
            }

            parameters = RegistryParameters.None with { PageSize = following.PageSize, Last = following.Last };
        }

        throw new UpstreamException(UpstreamErrors.Nonsense("its list of tags does not end"));
    }

    /// <summary>Whether a tag's manifest is, or through an index contains, the manifest with this digest.</summary>
    /// <param name="registry">The registry.</param>
    /// <param name="repository">The repository.</param>
    /// <param name="tag">The tag.</param>
    /// <param name="digest">The manifest looked for.</param>
    /// <param name="explored">
    /// Indexes that were found not to contain it, for all tags asked about: entries that repeat from index to index
    /// multiply, and anyone who may push decides how many there are.
    /// </param>
    /// <param name="cancellationToken">The client's leaving.</param>
    /// <exception cref="UpstreamException">The upstream did not say.</exception>
    public Task<bool> ReachesAsync(
        UpstreamRegistry registry,
        RepositoryName repository,
        Tag tag,
        Digest digest,
        HashSet<Digest> explored,
        CancellationToken cancellationToken) =>
        ReachesAsync(registry, repository, Reference.To(tag), digest, explored, DeepestIndex, cancellationToken);

    private async Task<bool> ReachesAsync(
        UpstreamRegistry registry,
        RepositoryName repository,
        Reference reference,
        Digest digest,
        HashSet<Digest> explored,
        int depth,
        CancellationToken cancellationToken)
    {
        var children = new List<(Digest Digest, bool IsIndex)>();
        await using (var answer = await upstream.SendAsync(
            registry, HttpMethod.Get, Manifest(registry, repository, reference), repository, cancellationToken))
        {
            if (answer.Status == HttpStatusCode.NotFound)
            {
                return false; // gone meanwhile, or an index entry that was never pushed
            }

            if (answer.Status != HttpStatusCode.OK)
            {
                throw Unusable(answer.Status);
            }

            if (!Digest.TryParse(answer.Header("Docker-Content-Digest"), out var own))
            {
                throw new UpstreamException(UpstreamErrors.Nonsense("a manifest without Docker-Content-Digest"));
            }

            if (own == digest)
            {
                return true;
            }

            if (IsIndex(answer.Header("Content-Type")))
            {
                ReadChildren(await answer.ReadBodyAsync(LargestManifest), children);
            }
        }

        foreach (var (child, isIndex) in children)
        {
            // Deeper than any real image: what cannot be told is treated as protected.
            if (child == digest || (isIndex && explored.Add(child) && (depth == 0 || await ReachesAsync(
                registry, repository, Reference.To(child), digest, explored, depth - 1, cancellationToken))))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsIndex(string? mediaType) => mediaType is not null
        && (mediaType.StartsWith("application/vnd.oci.image.index.", StringComparison.Ordinal)
            || mediaType.StartsWith("application/vnd.docker.distribution.manifest.list.", StringComparison.Ordinal));

    private static string Manifest(UpstreamRegistry registry, RepositoryName repository, Reference reference) =>
        RegistryTarget.Build(
            new RegistryRequest
            {
                Operation = RegistryOperation.ReadManifest,
                Method = RegistryMethod.Get,
                Repository = repository,
                Reference = reference,
            },
            registry.ToUpstream(repository));

    private static UpstreamException Unusable(HttpStatusCode status) => new(status switch
    {
        >= HttpStatusCode.InternalServerError => UpstreamErrors.Failed((int)status),
        _ => UpstreamErrors.Nonsense($"status {(int)status}"),
    });

    private static void Read(ReadOnlyMemory<byte> body, List<Tag> tags)
    {
        foreach (var text in JsonStrings.Read(body, "tags"))
        {
            // What is no tag by the grammar cannot be asked for either, so it is not listed.
            if (Tag.TryParse(text, out var tag))
            {
                tags.Add(tag);
            }
        }
    }

    private static void ReadChildren(ReadOnlyMemory<byte> body, List<(Digest Digest, bool IsIndex)> children)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            foreach (var entry in json.RootElement.GetProperty("manifests").EnumerateArray())
            {
                if (Digest.TryParse(entry.GetProperty("digest").GetString(), out var digest))
                {
                    var mediaType = entry.TryGetProperty("mediaType", out var type) ? type.GetString() : null;
                    children.Add((digest, IsIndex(mediaType)));
                }
            }
        }
        catch (Exception exception)
            when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new UpstreamException(UpstreamErrors.Nonsense("a malformed image index"), exception);
        }
    }
}
