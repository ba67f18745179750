using Gateway.Foundation.Configuration;

namespace Gateway.Server.Requests.Redis;

/// <summary>The Sentinels that know which Redis is the primary now.</summary>
public sealed class RedisSentinelOptions
{
    /// <summary>The name by which the Sentinels know the primary (<c>sentinel monitor NAME …</c>).</summary>
    [RequiredSetting]
    public string Service { get; set; } = "";

    /// <summary>Host and port of each Sentinel; the port is 26379 unless written. They are asked in no particular order.</summary>
    [RequiredSetting]
    public List<string> Servers { get; set; } = [];

    /// <summary>The ACL user name to sign in to the Sentinels with, where it is not the default user's.</summary>
    public string? Username { get; set; }

    /// <summary>The password of the Sentinels themselves, where they ask for one. <c>redis.password</c> is never sent to them.</summary>
    [SecretSetting]
    public string? Password { get; set; }
}
