using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Requests.Redis;

/// <summary>A command to Redis that was not answered, or refused.</summary>
/// <param name="reason">The sentence for an operator, and the kind of failure.</param>
/// <param name="inner">The cause.</param>
internal sealed class RedisFailureException(RedisReason reason, Exception? inner = null)
    : StateException(reason.Text, inner)
{
    /// <summary>What kind of failure it is.</summary>
    public RedisFault Fault { get; } = reason.Fault;
}
