namespace Gateway.Redis;

/// <summary>The servers answer, and are not what the section <c>redis</c> says of them.</summary>
/// <param name="reason">To stand after the servers' names, with a full stop.</param>
internal sealed class RedisTopologyException(string reason) : Exception(reason)
{
    /// <summary>Keys would lie in many slots.</summary>
    public const string NoHashTag = "is a node of a cluster, where all keys must be in one slot: set redis.keyPrefix to a word in braces, "
        + "for example \"{gateway}:\".";
}
