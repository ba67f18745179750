namespace Gateway.Server.Requests.Redis;

/// <summary>The servers answer, and are not what the section <c>redis</c> says of them.</summary>
/// <param name="reason">The text after the servers' names, with a full stop.</param>
internal sealed class RedisTopologyException(string reason) : Exception(reason)
{
    /// <summary>Keys would lie in many slots.</summary>
    public const string NoHashTag = "is a node of a cluster, where all keys must be in one slot: set redis.keyPrefix "
        + "to a word in braces, for example \"{gateway}:\".";

    /// <summary>It is another user than the one named.</summary>
    public const string UserRefused = "refuses the user name or the password. See redis.username and redis.password.";

    /// <summary>One server is named, which is not the primary.</summary>
    public const string Replica =
        "is a replica, which accepts no writes and lags behind. Name the primary as redis.server.";
}
