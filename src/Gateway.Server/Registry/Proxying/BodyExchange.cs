namespace Gateway.Server.Registry.Proxying;

/// <summary>A request's body on its way to an upstream, known to the connection that it is written to.</summary>
internal sealed class BodyExchange
{
    private static readonly AsyncLocal<BodyExchange?> Flowing = new();

    private UpstreamConnection? _connection;
    private long _answeredBefore;

    /// <summary>What the caller's request is sending; <see langword="null"/> where that has no body.</summary>
    public static BodyExchange? Current => Flowing.Value;

    /// <summary>Whether the upstream has answered and takes no more: the rest of the body goes nowhere.</summary>
    public bool IsOver { get; private set; }

    /// <summary>
    /// Whether anything of this request was written, so that it can be the upstream's answer that comes.
    /// </summary>
    public bool HasBegun { get; private set; }

    /// <summary>Whether some of an answer to this request was read.</summary>
    public bool IsAnswered => _connection is { } connection && connection.Received > _answeredBefore;

    /// <summary>From here on, everything that the calling method writes to an upstream is this request.</summary>
    public static void Begin() => Flowing.Value = new BodyExchange();

    /// <summary>
    /// Takes note of a write that is about to be made: a request may be sent again, on another connection.
    /// </summary>
    public void WritesTo(UpstreamConnection connection)
    {
        if (_connection != connection)
        {
            (_connection, _answeredBefore, HasBegun) = (connection, connection.Received, false);
        }
    }

    /// <summary>Takes note of a write that was made.</summary>
    public void HasWritten() => HasBegun = true;

    /// <summary>Takes note that an answer is there and the upstream takes no more.</summary>
    public void End() => IsOver = true;
}
