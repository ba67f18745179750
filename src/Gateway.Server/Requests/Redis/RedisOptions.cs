using Gateway.Foundation.Configuration;

namespace Gateway.Server.Requests.Redis;

/// <summary>
/// The Redis that replicas share: a single server, a primary found through Sentinels, or a Redis Cluster.
/// </summary>
public sealed class RedisOptions
{
    /// <summary>
    /// Host and port of a single server, for example <c>redis:6379</c>; the default port is 6379. Set exactly one of
    /// <c>server</c>, <c>servers</c> and <c>sentinel</c>.
    /// </summary>
    public string Server { get; set; } = "";

    /// <summary>
    /// Host and port of several nodes of one Redis Cluster; the gateway finds the others. <c>keyPrefix</c> then needs a
    /// hash tag, for example <c>{gateway}:</c>.
    /// </summary>
    public List<string> Servers { get; set; } = [];

    /// <summary>The Sentinels through which the gateway finds the current primary.</summary>
    public RedisSentinelOptions? Sentinel { get; set; }

    /// <summary>The ACL user name to sign in with, unless it is the default user.</summary>
    public string? Username { get; set; }

    /// <summary>The password, if Redis requires one.</summary>
    [SecretSetting]
    public string? Password { get; set; }

    /// <summary>Whether to use TLS for all connections, including those to Sentinels.</summary>
    public bool Tls { get; set; }

    /// <summary>PEM file of the certificate authorities to trust for TLS, instead of the system's.</summary>
    [PathSetting]
    public string? CertificateAuthority { get; set; }

    /// <summary>Database number: 0 to 15; in a cluster only 0.</summary>
    public int Database { get; set; }

    /// <summary>
    /// The prefix of every key and channel, so that several programs can share a server: at most 64 characters. In a
    /// Redis Cluster it must contain a hash tag, for example <c>{gateway}:</c>, so that all keys are in one slot.
    /// </summary>
    public string KeyPrefix { get; set; } = "gateway:";

    /// <summary>Longest wait for an answer: 10 milliseconds to 10 seconds.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Whether to refuse new tokens while Redis does not write to disk (<c>appendonly no</c>): a restart of Redis would
    /// lose them.
    /// </summary>
    public bool RequirePersistence { get; set; } = true;

    /// <summary>Where it is, for messages: as the operator wrote it.</summary>
    internal string Place => Sentinel is { } sentinel
        ? $"{sentinel.Service} ({string.Join(", ", sentinel.Servers)})"
        : Servers.Count > 0 ? string.Join(", ", Servers) : Server;

    /// <summary>
    /// Whether all keys are in one slot of a cluster: the prefix holds a hash tag (Redis cluster specification, "Hash
    /// tags").
    /// </summary>
    internal bool HasHashTag =>
        KeyPrefix.IndexOf('{', StringComparison.Ordinal) is >= 0 and var open
        && KeyPrefix.IndexOf('}', open) > open + 1;
}
