namespace Gateway.Core.Registry;

/// <summary>
/// The query parameters that the registry or the gateway acts on, parsed by the registry's own rules. Everything else a
/// client sent is gone.
/// </summary>
public sealed record RegistryParameters
{
    /// <summary>No parameters.</summary>
    public static readonly RegistryParameters None = new();

    /// <summary><c>mount</c> of an upload start: the blob to mount instead of uploading it.</summary>
    public Digest? Mount { get; init; }

    /// <summary>
    /// <c>from</c> of an upload start: the repository to mount from. Set only together with <see cref="Mount"/>.
    /// </summary>
    public RepositoryName? From { get; init; }

    /// <summary><c>digest</c>: of the blob that an upload completes.</summary>
    public Digest? Digest { get; init; }

    /// <summary>
    /// <c>_ticket</c> of an upload: what the gateway put into its <c>Location</c>, unread. It never goes upstream.
    /// </summary>
    public string? Ticket { get; init; }

    /// <summary>
    /// The upstream's own query on an upload, with its question mark, byte for byte. Never what a client sent: the
    /// gateway takes it out of a ticket that it has verified. See <see cref="RegistryRequest.Continuing"/>.
    /// </summary>
    public string? UpstreamQuery { get; init; }

    /// <summary><c>n</c>: the page size asked for.</summary>
    public long? PageSize { get; init; }

    /// <summary><c>last</c>: the entry after which a page begins, decoded. It need not exist.</summary>
    public string? Last { get; init; }

    /// <summary><c>artifactType</c> of a referrers request, decoded; the only parameter that may repeat.</summary>
    public IReadOnlyList<string> ArtifactTypes { get; init; } = [];

    /// <summary>Equality by value, of the list too.</summary>
    public bool Equals(RegistryParameters? other)
    {
        if (ReferenceEquals(this, other))
        {
            return true;
        }

        if (other is null
            || Mount != other.Mount || From != other.From || Digest != other.Digest || Ticket != other.Ticket
            || UpstreamQuery != other.UpstreamQuery || PageSize != other.PageSize || Last != other.Last
            || ArtifactTypes.Count != other.ArtifactTypes.Count)
        {
            return false;
        }

        for (var i = 0; i < ArtifactTypes.Count; i++)
        {
            if (ArtifactTypes[i] != other.ArtifactTypes[i])
            {
                return false;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public override int GetHashCode() =>
        HashCode.Combine(Mount, From, Digest, Ticket, UpstreamQuery, PageSize, Last, ArtifactTypes.Count);
}
