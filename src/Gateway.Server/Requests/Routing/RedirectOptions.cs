namespace Gateway.Server.Requests.Routing;

/// <summary>Where an upstream may send clients for a blob or manifest, instead of serving it itself.</summary>
public sealed class RedirectOptions
{
    /// <summary>
    /// The hosts, each as <c>bucket.example.com</c>, <c>minio.example.com:9000</c>, <c>*.s3.example.com</c> for every name
    /// below it, or <c>http://minio:9000</c> for plain HTTP, which else is refused. Without a port the scheme's own is meant.
    /// An empty list: no redirects. Unless set: https to any host, and plain HTTP to the hosts of <c>upstreams</c> that are
    /// not the gateway's own.
    /// </summary>
    public List<string>? Allow { get; set; }
}
