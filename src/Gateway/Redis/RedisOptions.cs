using Gateway.Configuration;

namespace Gateway.Redis;

/// <summary>The Redis that replicas share.</summary>
public sealed class RedisOptions
{
    /// <summary>Host and port, for example <c>redis:6379</c>; the port is 6379 unless written. One server, no cluster.</summary>
    [RequiredSetting]
    public string Server { get; set; } = "";

    /// <summary>Its password, where it asks for one.</summary>
    [SecretSetting]
    public string? Password { get; set; }

    /// <summary>Whether the connection is TLS.</summary>
    public bool Tls { get; set; }

    /// <summary>PEM file of the authorities to trust for TLS, instead of the system's.</summary>
    [PathSetting]
    public string? CertificateAuthority { get; set; }

    /// <summary>The number of the database: 0 to 15.</summary>
    public int Database { get; set; }

    /// <summary>
    /// What every key and channel begins with, so that several programs can share a server: at most 64 characters.
    /// </summary>
    public string KeyPrefix { get; set; } = "gateway:";

    /// <summary>Longest wait for an answer: 10 milliseconds to 10 seconds.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Whether new tokens are refused while Redis does not write to disk (<c>appendonly no</c>): a restart of Redis
    /// would lose them.
    /// </summary>
    public bool RequirePersistence { get; set; } = true;
}
