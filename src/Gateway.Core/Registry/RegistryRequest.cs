namespace Gateway.Core.Registry;

/// <summary>
/// A request to the registry, understood completely: what is authorized, forwarded and audited is this value.
/// </summary>
/// <remarks>
/// Made only by <see cref="RegistryRequestParser"/>, so every member already has its strict form; what an upstream adds
/// to a started upload comes in by <see cref="Continuing"/> alone.
/// </remarks>
public sealed record RegistryRequest
{
    /// <summary>What is asked.</summary>
    public required RegistryOperation Operation { get; init; }

    /// <summary>The method as sent; it tells HEAD from GET.</summary>
    public required RegistryMethod Method { get; init; }

    /// <summary>The repository; <see langword="null"/> only for ping and catalog.</summary>
    public RepositoryName? Repository { get; init; }

    /// <summary>The manifest's tag or digest, for the manifest operations.</summary>
    public Reference? Reference { get; init; }

    /// <summary>The digest in the path, for blobs and referrers.</summary>
    public Digest? Digest { get; init; }

    /// <summary>The upload, for the operations on a started upload.</summary>
    public UploadId? Upload { get; init; }

    /// <summary>The query parameters.</summary>
    public RegistryParameters Parameters { get; init; } = RegistryParameters.None;

    /// <summary>The tag that the request names, if it names one.</summary>
    public Tag? Tag => Reference?.Tag;

    /// <summary>The same upload start without its mount: the answer to a mount the caller may not do.</summary>
    /// <remarks>A 401 or 403 makes containerd abort the whole push; an ordinary upload start does not.</remarks>
    public RegistryRequest WithoutMount() =>
        this with { Parameters = Parameters with { Mount = null, From = null } };

    /// <summary>
    /// The same request on an upload, as the upstream is to be asked: with its own query, without the ticket.
    /// </summary>
    /// <param name="upstreamQuery">
    /// The <see cref="RegistryLocation.RawQuery"/> that the upstream gave this very upload; or empty.
    /// </param>
    public RegistryRequest Continuing(string upstreamQuery) => Upload is null
        ? throw new InvalidOperationException("only a started upload is continued")
        : this with
        {
            Parameters = Parameters with
            {
                Ticket = null,
                UpstreamQuery = upstreamQuery.Length == 0 ? null : upstreamQuery,
            },
        };
}
