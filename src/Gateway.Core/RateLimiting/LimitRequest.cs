using System.Net;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;

namespace Gateway.Core.RateLimiting;

/// <summary>What limits know of a request.</summary>
/// <param name="Class">Its class, one of them.</param>
/// <param name="Subject">Who asks.</param>
/// <param name="Address">From where.</param>
/// <param name="Repository">On what; <see langword="null"/> for catalog and tokens.</param>
public readonly record struct LimitRequest(
    RequestClasses Class, Subject Subject, IPAddress Address, RepositoryName? Repository);
