namespace Gateway.Server.Host.Hosting;

/// <summary>
/// How the gateway stops on SIGTERM: it becomes unready, then running transfers finish, then it exits.
/// </summary>
public sealed class ShutdownOptions
{
    /// <summary>
    /// How long the gateway keeps accepting requests while <c>/readyz</c> already answers 503: longer than a load
    /// balancer takes to notice. At most 5 minutes.
    /// </summary>
    public TimeSpan Delay { get; set; }

    /// <summary>How long running requests may then take before they are aborted: 1 second to 24 hours.</summary>
    public TimeSpan Drain { get; set; } = TimeSpan.FromSeconds(30);
}
