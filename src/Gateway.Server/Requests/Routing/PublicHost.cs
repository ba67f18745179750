namespace Gateway.Server.Requests.Routing;

/// <summary>A host name that clients may use, with the registries it serves.</summary>
/// <param name="Authority">
/// Host and port as clients write them, for <c>Location</c> and the challenge: <c>localhost:8443</c>.
/// </param>
/// <param name="Registries">Longest prefix first, so that the first one that covers a repository holds it.</param>
internal sealed record PublicHost(string Authority, IReadOnlyList<UpstreamRegistry> Registries)
{
    /// <summary>The origin that clients use, without a final slash.</summary>
    public string Origin { get; } = "https://" + Authority;
}
