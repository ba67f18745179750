namespace Gateway.Server.Requests.Pipeline;

/// <summary>What a page of another origin may do here, by its <c>Origin</c> header.</summary>
internal enum PageStanding
{
    /// <summary>No page of another origin asks, or none that is allowed to.</summary>
    None,

    /// <summary>
    /// It may use the registry with credentials that it has itself; it cannot read what the browser's own get.
    /// </summary>
    Allowed,

    /// <summary>It may act with the credentials that the browser keeps.</summary>
    Trusted,
}
