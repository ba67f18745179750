namespace Gateway.Core.Registry;

/// <summary>The query parameters the registry acts on, parsed by its own rules. Everything else a client sent is gone.</summary>
public sealed record RegistryParameters
{
    /// <summary>No parameters.</summary>
    public static readonly RegistryParameters None = new();

    /// <summary><c>mount</c> of an upload start: the blob to mount instead of uploading it.</summary>
    public Digest? Mount { get; init; }

    /// <summary><c>from</c> of an upload start: the repository to mount from. Set only together with <see cref="Mount"/>.</summary>
    public RepositoryName? From { get; init; }

    /// <summary><c>digest</c>: of the blob that an upload completes.</summary>
    public Digest? Digest { get; init; }

    /// <summary><c>_state</c>: the upstream's own opaque upload state, decoded.</summary>
    public string? State { get; init; }

    /// <summary><c>n</c>: the page size asked for.</summary>
    public int? PageSize { get; init; }

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
            || Mount != other.Mount || From != other.From || Digest != other.Digest || State != other.State
            || PageSize != other.PageSize || Last != other.Last || ArtifactTypes.Count != other.ArtifactTypes.Count)
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
        HashCode.Combine(Mount, From, Digest, State, PageSize, Last, ArtifactTypes.Count);
}
