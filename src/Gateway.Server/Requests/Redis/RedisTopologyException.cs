namespace Gateway.Server.Requests.Redis;

/// <summary>The servers answer, and are not what the section <c>redis</c> says of them.</summary>
/// <param name="reason">The text after the servers' names, with a full stop; and what kind of failure it is.</param>
internal sealed class RedisTopologyException(RedisReason reason) : Exception(reason.Text)
{
    /// <summary>Keys would lie in many slots.</summary>
    public static readonly RedisReason NoHashTag = new(
        "is a node of a cluster, where all keys must be in one slot: set redis.keyPrefix to a word in braces, for "
            + "example \"{gateway}:\".",
        RedisFault.Cluster);

    /// <summary>It is another user than the one named.</summary>
    public static readonly RedisReason UserRefused = new(
        "refuses the user name or the password. See redis.username and redis.password.", RedisFault.SignIn);

    /// <summary>One server is named, which is not the primary.</summary>
    public static readonly RedisReason Replica = new(
        "is a replica, which accepts no writes and lags behind. Name the primary as redis.server.",
        RedisFault.ReadOnly);

    /// <summary>Why.</summary>
    public RedisReason Reason { get; } = reason;
}
