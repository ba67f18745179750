using System.Net;
using Gateway.Core.Registry;

namespace Gateway.Core.Authorization;

/// <summary>One question to the policy: may this subject do these actions here, from there, now?</summary>
public readonly struct AccessRequest
{
    /// <summary>Who asks.</summary>
    public required Subject Subject { get; init; }

    /// <summary>The configured name of the registry that holds the repository.</summary>
    public required string Registry { get; init; }

    /// <summary>The repository, by its public name.</summary>
    public required RepositoryName Repository { get; init; }

    /// <summary>Every action that is needed; all of them must be granted.</summary>
    public required RepositoryActions Actions { get; init; }

    /// <summary>Which tag the request touches.</summary>
    public TagScope Tag { get; init; }

    /// <summary>The client's address, never IPv4-mapped.</summary>
    public required IPAddress ClientAddress { get; init; }

    /// <summary>The instant of the request, UTC.</summary>
    public required DateTimeOffset Time { get; init; }
}
