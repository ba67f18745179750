using Gateway.Foundation.Configuration;

namespace Gateway.Server.Requests.Routing;

/// <summary>One registry behind the gateway: a distribution API served by one or more equivalent upstreams.</summary>
public sealed class RegistryOptions
{
    /// <summary>The registry's name in policies, logs and metrics: lower-case letters, digits and dashes.</summary>
    [RequiredSetting]
    public string Name { get; set; } = "";

    /// <summary>
    /// Base URLs of its replicas, <c>http</c> or <c>https</c>, without a path; they share one storage and secret.
    /// </summary>
    [RequiredSetting]
    public List<Uri> Upstreams { get; set; } = [];

    /// <summary>
    /// Serve this registry for requests to this host name (with port, where clients use one). It must differ between
    /// registries.
    /// </summary>
    public string? Host { get; set; }

    /// <summary>
    /// Serve this registry for repositories under this prefix, for example <c>mirror</c> for
    /// <c>mirror/library/alpine</c>.
    /// </summary>
    public string? Prefix { get; set; }

    /// <summary>Whether to remove the prefix from repository names in requests to the upstream.</summary>
    public bool StripPrefix { get; set; }

    /// <summary>The gateway's own credential for the upstreams.</summary>
    public UpstreamCredentialOptions? Credential { get; set; }

    /// <summary>
    /// Whether the upstreams verify tokens as well (<c>auth.token</c> in their configuration). The gateway then sends
    /// one of its own with each request, for exactly what was decided, instead of <c>credential</c>. Upstreams need the
    /// gateway's new key, and a restart, before each rotation; <c>gateway keys probe</c> checks whether they accept it.
    /// </summary>
    public bool ForwardToken { get; set; }

    /// <summary>
    /// PEM file of the certificate authorities to trust for <c>https</c> upstreams, instead of the system's.
    /// </summary>
    [PathSetting]
    public string? CertificateAuthority { get; set; }

    /// <summary>Whether content of this registry may be kept in memory, where <c>contentCache</c> is on.</summary>
    public bool CacheContent { get; set; } = true;

    /// <summary>Where the upstreams may redirect clients for blobs, such as to object storage.</summary>
    public RedirectOptions Redirects { get; set; } = new();

    /// <summary>How to monitor the upstreams' health.</summary>
    public HealthCheckOptions HealthCheck { get; set; } = new();

    /// <summary>Longest time without data from the upstream on requests without a blob: 1 second to 1 hour.</summary>
    public TimeSpan ActivityTimeout { get; set; } = TimeSpan.FromSeconds(100);

    /// <summary>
    /// Longest time without data on blobs and uploads, where an upstream may be busy storing: 1 minute to 24 hours.
    /// </summary>
    public TimeSpan BlobActivityTimeout { get; set; } = TimeSpan.FromMinutes(30);
}

/// <summary>The gateway's own credential for an upstream: either user name and password, or a bearer token.</summary>
public sealed class UpstreamCredentialOptions
{
    /// <summary>User name for Basic authentication.</summary>
    public string? Username { get; set; }

    /// <summary>Password for Basic authentication.</summary>
    [SecretSetting]
    public string? Password { get; set; }

    /// <summary>Bearer token, instead of user name and password.</summary>
    [SecretSetting]
    public string? Token { get; set; }
}

/// <summary>How to monitor the upstreams' health: by probes of <c>/v2/</c>, and by failed requests.</summary>
public sealed class HealthCheckOptions
{
    /// <summary>Interval between probes: 1 second to 10 minutes.</summary>
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest wait for a probe's answer: 100 milliseconds to 1 minute.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(5);
}
