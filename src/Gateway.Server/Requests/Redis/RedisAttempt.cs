using StackExchange.Redis;

namespace Gateway.Server.Requests.Redis;

/// <summary>An attempt to connect to one server.</summary>
/// <param name="Outcome">What the library tells of it.</param>
/// <param name="IsSentinel">Whether it was at a Sentinel.</param>
/// <param name="IsNamed">
/// Whether the section names the server, or the Sentinels do, and not another node of a cluster.
/// </param>
internal sealed record RedisAttempt(ConnectionAttemptCompletedEventArgs Outcome, bool IsSentinel, bool IsNamed);
