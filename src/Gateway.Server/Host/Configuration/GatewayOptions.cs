using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Hosting;
using Gateway.Server.Host.Telemetry;
using Gateway.Server.Limits.RateLimiting;
using Gateway.Server.Records.Audit;
using Gateway.Server.Registry.Contents;
using Gateway.Server.Registry.Policies;
using Gateway.Server.Requests.Cors;
using Gateway.Server.Requests.Redis;
using Gateway.Server.Requests.Routing;
using Gateway.Server.Requests.Tls;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.Store.State;
using Gateway.Server.Tokens.Service;

namespace Gateway.Server.Host.Configuration;

/// <summary>Everything in <c>gateway.yaml</c>. Each section's class lives with the capability it configures.</summary>
public sealed class GatewayOptions
{
    private static readonly Lazy<SectionType> GatewayModel = new(static () => SettingModel.Of(typeof(GatewayOptions)));

    /// <summary>The shape of <c>gateway.yaml</c>. No setting.</summary>
    internal static SectionType Model => GatewayModel.Value;

    /// <summary>
    /// The URL that clients use, for example <c>https://registry.example.com</c>: <c>https</c>, without a path. The
    /// gateway builds <c>Location</c> headers and the challenge from it, never from a header that a client sent.
    /// </summary>
    [RequiredSetting]
    public Uri? PublicUrl { get; set; }

    /// <summary>
    /// Further host names (<c>name</c> or <c>name:port</c>) that requests may use. The gateway answers any other with
    /// 421.
    /// </summary>
    public List<string> Hosts { get; set; } = [];

    /// <summary>
    /// Addresses or networks (<c>10.0.0.0/8</c>) of load balancers whose <c>X-Forwarded-For</c> is trusted, counted
    /// from the right. From any other address the gateway ignores the header.
    /// </summary>
    public List<string> TrustedProxies { get; set; } = [];

    /// <summary>Where the gateway listens.</summary>
    public ListenerOptions Listen { get; set; } = new();

    /// <summary>Certificates and related settings.</summary>
    public TlsOptions Tls { get; set; } = new();

    /// <summary>The registries behind the gateway; at least one.</summary>
    [RequiredSetting]
    public List<RegistryOptions> Registries { get; set; } = [];

    /// <summary>How callers sign in.</summary>
    public AuthenticationOptions Authentication { get; set; } = new();

    /// <summary>The folder of the policy files (<c>*.yaml</c>). Without rules, everything is denied.</summary>
    [RequiredSetting]
    [PathSetting]
    public string Policies { get; set; } = "";

    /// <summary>
    /// Whether policies must pass the tests in their own <c>*.test.yaml</c>: if one fails, the gateway does not start,
    /// and a reload keeps the policies in force.
    /// </summary>
    public bool TestPolicies { get; set; }

    /// <summary>
    /// Whether each policy file must end with YAML's end of a document, a line <c>...</c>, so that the gateway refuses
    /// a file that was cut off at a line and still looks complete.
    /// </summary>
    public bool RequireDocumentEnd { get; set; }

    /// <summary>Access tokens, and the tokens that people and robots sign in with.</summary>
    public TokenOptions Tokens { get; set; } = new();

    /// <summary>Where the gateway stores what changes while it runs.</summary>
    public StateOptions State { get; set; } = new();

    /// <summary>The Redis that replicas share; required if tokens or keys are stored in Redis.</summary>
    public RedisOptions? Redis { get; set; }

    /// <summary>How many requests and failed sign-ins are allowed.</summary>
    public LimitOptions Limits { get; set; } = new();

    /// <summary>
    /// Manifests and small blobs that are kept in memory and answered from there; off without this section.
    /// </summary>
    public ContentCacheOptions? ContentCache { get; set; }

    /// <summary>Web pages of other origins that may use the registry from a browser. None by default.</summary>
    public CorsOptions Cors { get; set; } = new();

    /// <summary>Export of metrics and traces.</summary>
    public TelemetryOptions Telemetry { get; set; } = new();

    /// <summary>How the gateway stops.</summary>
    public ShutdownOptions Shutdown { get; set; } = new();

    /// <summary>The audit trail.</summary>
    public AuditOptions Audit { get; set; } = new();

    /// <summary>The program's own log.</summary>
    public LogOptions Log { get; set; } = new();

    /// <summary>
    /// The file that these were read from; <see langword="null"/> where a program made them. No setting.
    /// </summary>
    internal string? File { get; set; }

    /// <summary>Every file and folder that is named in it. No setting.</summary>
    internal IReadOnlyList<NamedPath> Paths { get; set; } = [];

    /// <summary>
    /// What reads the policies: the same for the check and for the server, so that a start reads each file's rules
    /// once. No setting.
    /// </summary>
    internal PolicyReader PolicyReader { get; } = new();
}
