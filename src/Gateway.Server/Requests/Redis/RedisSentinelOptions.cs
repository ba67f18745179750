using Gateway.Foundation.Configuration;

namespace Gateway.Server.Requests.Redis;

/// <summary>The Sentinels that know which Redis is the current primary.</summary>
public sealed class RedisSentinelOptions
{
    /// <summary>The name by which the Sentinels know the primary (<c>sentinel monitor NAME …</c>).</summary>
    [RequiredSetting]
    public string Service { get; set; } = "";

    /// <summary>Host and port of each Sentinel; the default port is 26379. The order has no meaning.</summary>
    [RequiredSetting]
    public List<string> Servers { get; set; } = [];

    /// <summary>The ACL user name to sign in to the Sentinels with, unless it is the default user.</summary>
    public string? Username { get; set; }

    /// <summary>
    /// The password of the Sentinels themselves, if they require one. <c>redis.password</c> is never sent to them.
    /// </summary>
    [SecretSetting]
    public string? Password { get; set; }
}
