using Gateway.Foundation.Configuration;

namespace Gateway.Server.Requests.Redis;

/// <summary>The Redis that replicas share: one server, a primary that Sentinels name, or a Redis Cluster.</summary>
public sealed class RedisOptions
{
    /// <summary>
    /// Host and port of one server, for example <c>redis:6379</c>; the port is 6379 unless written. Exactly one of
    /// <c>server</c>, <c>servers</c> and <c>sentinel</c> is set.
    /// </summary>
    public string Server { get; set; } = "";

    /// <summary>
    /// Host and port of several nodes of one Redis Cluster; the others are found through them. <c>keyPrefix</c> then needs a
    /// hash tag, for example <c>{gateway}:</c>.
    /// </summary>
    public List<string> Servers { get; set; } = [];

    /// <summary>Sentinels, which name the primary and its successor.</summary>
    public RedisSentinelOptions? Sentinel { get; set; }

    /// <summary>The ACL user name to sign in with, where it is not the default user's.</summary>
    public string? Username { get; set; }

    /// <summary>Its password, where it asks for one.</summary>
    [SecretSetting]
    public string? Password { get; set; }

    /// <summary>Whether the connections are TLS, those to Sentinels included.</summary>
    public bool Tls { get; set; }

    /// <summary>PEM file of the authorities to trust for TLS, instead of the system's.</summary>
    [PathSetting]
    public string? CertificateAuthority { get; set; }

    /// <summary>The number of the database: 0 to 15; a cluster has 0 alone.</summary>
    public int Database { get; set; }

    /// <summary>
    /// What every key and channel begins with, so that several programs can share a server: at most 64 characters. In a Redis
    /// Cluster it holds a hash tag, for example <c>{gateway}:</c>, so that all keys are in one slot.
    /// </summary>
    public string KeyPrefix { get; set; } = "gateway:";

    /// <summary>Longest wait for an answer: 10 milliseconds to 10 seconds.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Whether new tokens are refused while Redis does not write to disk (<c>appendonly no</c>): a restart of Redis
    /// would lose them.
    /// </summary>
    public bool RequirePersistence { get; set; } = true;

    /// <summary>Where it is, for messages: what the operator has written.</summary>
    internal string Place => Sentinel is { } sentinel
        ? $"{sentinel.Service} ({string.Join(", ", sentinel.Servers)})"
        : Servers.Count > 0 ? string.Join(", ", Servers) : Server;

    /// <summary>
    /// Whether all keys are in one slot of a cluster: the prefix holds a hash tag (Redis cluster specification, "Hash tags").
    /// </summary>
    internal bool HasHashTag =>
        KeyPrefix.IndexOf('{', StringComparison.Ordinal) is >= 0 and var open
        && KeyPrefix.IndexOf('}', open) > open + 1;
}
