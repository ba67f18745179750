namespace Gateway.Server.Host.Hosting;

/// <summary>
/// Where the gateway listens. An address is <c>*:8443</c>, <c>127.0.0.1:8443</c> or <c>[::1]:8443</c>.
/// </summary>
public sealed class ListenerOptions
{
    /// <summary>The TLS listener that clients use.</summary>
    public string Https { get; set; } = "*:8443";

    /// <summary>
    /// An optional plain-HTTP listener that only redirects to <c>publicUrl</c>, for example <c>*:8080</c>.
    /// </summary>
    public string? Http { get; set; }

    /// <summary>Whether the plain-HTTP listener also answers <c>/healthz</c> and <c>/readyz</c>.</summary>
    public bool HttpHealth { get; set; }

    /// <summary>
    /// The management listener (plain HTTP: <c>/healthz</c>, <c>/readyz</c>, <c>/metrics</c>), on loopback by default.
    /// Empty: no such listener; the TLS listener then answers health checks, and nothing serves metrics.
    /// </summary>
    public string Management { get; set; } = "127.0.0.1:8081";

    /// <summary>
    /// Host names under which the management listener serves <c>/metrics</c>, for example <c>gateway</c> where
    /// Prometheus scrapes <c>gateway:8081</c>; without a port. Addresses, <c>localhost</c> and the public hosts are
    /// always allowed. Under any other name <c>/metrics</c> answers 421 and <c>/readyz</c> only its status, so that no
    /// web page can read more through a name of its own.
    /// </summary>
    public List<string> ManagementHosts { get; set; } = [];
}
