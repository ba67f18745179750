using System.Net;

namespace Gateway.Server.Requests.Redis;

/// <summary>
/// Whose answers these are. Another one: another server may answer, or the same one with less than it had.
/// </summary>
/// <param name="Connections">How often the connection recovered.</param>
/// <param name="Primary">The server that has the keys; <see langword="null"/>: there is none.</param>
internal sealed record RedisEpoch(long Connections, EndPoint? Primary);
