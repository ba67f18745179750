namespace Gateway.Server.Requests.Routing;

/// <summary>Where an upstream may redirect clients for a blob or manifest.</summary>
public sealed class RedirectOptions
{
    /// <summary>
    /// The hosts, each as <c>bucket.example.com</c>, <c>minio.example.com:9000</c>, <c>*.s3.example.com</c> for every
    /// name below it, or <c>http://minio:9000</c> for plain HTTP, which is otherwise refused. The default port is the
    /// scheme's. An empty list allows no redirects. If not set: https to any host, and plain HTTP to the hosts of
    /// <c>upstreams</c> that are not the gateway's own.
    /// </summary>
    public List<string>? Allow { get; set; }
}
