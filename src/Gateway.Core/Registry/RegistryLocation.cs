using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Gateway.Core.Registry;

/// <summary>
/// An upstream's <c>Location</c>, understood: the upload, blob or manifest of a repository that it points to.
/// </summary>
/// <remarks>Exactly one of <see cref="Upload"/>, <see cref="Blob"/> and <see cref="Manifest"/> is set.</remarks>
public sealed record RegistryLocation
{
    /// <summary>The longest query accepted, in characters; Distribution's has some hundreds.</summary>
    public const int MaxQueryLength = 4096;

    private static readonly SearchValues<char> PathAndQueryCharacters = SearchValues.Create(
        "!$%&'()*+,-./0123456789:;=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]_abcdefghijklmnopqrstuvwxyz~|^`{}");

    /// <summary>The repository, by the name that the upstream knows it by.</summary>
    public required RepositoryName Repository { get; init; }

    /// <summary>The upload to continue.</summary>
    public UploadId? Upload { get; init; }

    /// <summary>The blob that was stored or mounted.</summary>
    public Digest? Blob { get; init; }

    /// <summary>The manifest that was stored.</summary>
    public Reference? Manifest { get; init; }

    /// <summary>
    /// The query with its question mark, byte for byte as the upstream sent it, since it signs it; or empty. An
    /// upload's names no parameter that the gateway decides on.
    /// </summary>
    public string RawQuery { get; init; } = "";

    /// <summary>Reads a <c>Location</c>, absolute (<c>http</c> or <c>https</c>) or beginning with a slash.</summary>
    /// <param name="location">The header's value; an upstream's, which is not trusted either.</param>
    /// <param name="result">The location, or <see langword="null"/> where it is none of the registry's own.</param>
    /// <returns>
    /// <see langword="false"/> for anything else, such as a redirect to object storage; it never throws.
    /// </returns>
    public static bool TryParse(string? location, [NotNullWhen(true)] out RegistryLocation? result)
    {
        result = null;
        var rest = PathAndQuery(location);
        if (rest.IsEmpty || rest.ContainsAnyExcept(PathAndQueryCharacters))
        {
            return false;
        }

        var question = rest.IndexOf('?');
        var query = question < 0 ? default : rest[question..];
        var path = RegistryPath.Split(question < 0 ? rest : rest[..question]);
        Digest? blob = null;
        Reference? manifest = null;
        UploadId? upload = null;
        var known = path.Route switch
        {
            RegistryRoute.Upload =>
                UploadId.TryParse(path.Item, out upload) && !RegistryQuery.NamesAnUploadParameter(query),
            RegistryRoute.Blob => RegistryRequestParser.TryParseDigest(path.Item, out blob),
            RegistryRoute.Manifest => RegistryRequestParser.TryParseReference(path.Item, out manifest),
            _ => false,
        };
        if (!known || query.Length > MaxQueryLength || !RepositoryName.TryParse(path.Name, out var repository))
        {
            return false;
        }

        result = new RegistryLocation
        {
            Repository = repository,
            Upload = upload,
            Blob = blob,
            Manifest = manifest,
            RawQuery = query.ToString(),
        };
        return true;
    }

    /// <summary>The same place as a path and query, to be put behind the public URL.</summary>
    /// <param name="repository">The name that clients know the repository by; the upstream's unless given.</param>
    /// <param name="ticket">What replaces the upstream's query, which it holds; for an upload.</param>
    public string ToPathAndQuery(RepositoryName? repository = null, string? ticket = null)
    {
        var name = (repository ?? Repository).Value;
        var path = Upload is not null ? string.Concat("/v2/", name, "/blobs/uploads/", Upload.Value)
            : Blob is not null ? string.Concat("/v2/", name, "/blobs/", Blob.Value)
            : string.Concat("/v2/", name, "/manifests/", Manifest?.Value);
        return ticket is null ? path + RawQuery : string.Concat(path, "?_ticket=", ticket);
    }

    /// <summary>Cuts scheme and authority off; empty for any other form.</summary>
    /// <remarks><see cref="Uri"/> would rewrite what follows, and the query has to stay as it is.</remarks>
    internal static ReadOnlySpan<char> PathAndQuery(ReadOnlySpan<char> url)
    {
        var authority = url.StartsWith("https://", StringComparison.OrdinalIgnoreCase) ? url["https://".Length..]
            : url.StartsWith("http://", StringComparison.OrdinalIgnoreCase) ? url["http://".Length..]
            : default;
        if (authority.IsEmpty)
        {
            return url.StartsWith('/') ? url : default;
        }

        var slash = authority.IndexOfAny("/?#\\");
        return slash < 0 || authority[slash] != '/' ? default : authority[slash..];
    }
}
