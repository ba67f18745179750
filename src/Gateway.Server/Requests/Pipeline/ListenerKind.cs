namespace Gateway.Server.Requests.Pipeline;

/// <summary>
/// Which listener a connection came in by; set on the connection, so no header or port can pretend another.
/// </summary>
internal enum ListenerKind
{
    /// <summary>The TLS listener for clients.</summary>
    Https,

    /// <summary>The plain-HTTP listener that redirects.</summary>
    Http,

    /// <summary>The management listener.</summary>
    Management,

    /// <summary>The socket for commands on the same machine.</summary>
    Control,
}

/// <summary>The connection feature that carries a <see cref="ListenerKind"/>.</summary>
internal sealed record ListenerFeature(ListenerKind Kind);
