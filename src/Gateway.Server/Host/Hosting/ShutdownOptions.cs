namespace Gateway.Server.Host.Hosting;

/// <summary>How the gateway ends when it is told to (SIGTERM): unready first, then running transfers finish, then it exits.</summary>
public sealed class ShutdownOptions
{
    /// <summary>
    /// How long it goes on as before while <c>/readyz</c> already answers 503: longer than a load balancer takes to
    /// notice. At most 5 minutes.
    /// </summary>
    public TimeSpan Delay { get; set; }

    /// <summary>How long running requests may take after that, before they are cut off: 1 second to 24 hours.</summary>
    public TimeSpan Drain { get; set; } = TimeSpan.FromSeconds(30);
}
