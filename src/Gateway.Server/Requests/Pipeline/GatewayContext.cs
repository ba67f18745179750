using System.Net;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Core.Tokens;
using Gateway.Server.Requests.Routing;
using Gateway.Server.Requests.Tls;
using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Server.Requests.Pipeline;

/// <summary>
/// What the pipeline has learned about a request so far. Each step fills in its part, once, in this order.
/// </summary>
internal sealed class GatewayContext(string requestId, IPAddress clientAddress)
{
    private RegistryRequest? _request;
    private Principal? _principal;
    private PublicHost? _host;

    /// <summary>Names the request in answers, logs and records.</summary>
    public string RequestId { get; } = requestId;

    /// <summary>
    /// The client's address in its one form: never IPv4-mapped, and a proxy's word only where it is trusted.
    /// </summary>
    public IPAddress ClientAddress { get; } = clientAddress;

    /// <summary>What the client presented in the handshake with this gateway; no header can say it.</summary>
    public PresentedCertificate? Certificate { get; init; }

    /// <summary>The host the client asked, once it is known to be one of ours.</summary>
    public PublicHost Host
    {
        get => _host ?? throw new InvalidOperationException("the host is not checked yet");
        set => _host = value;
    }

    /// <summary>What the page that asks may do, where CORS is on and a page of another origin asks.</summary>
    public PageStanding Page { get; set; }

    /// <summary>Whether <c>cors.origins</c> lists that page's origin as such, not by a wildcard.</summary>
    public bool IsPageNamed { get; set; }

    /// <summary>The parsed request. Authorization may replace it by a narrower one (a mount dropped).</summary>
    public RegistryRequest Request
    {
        get => _request ?? throw new InvalidOperationException("the request is not parsed yet");
        set => _request = value;
    }

    /// <summary>The registry that holds the repository; <see langword="null"/> for ping and catalog.</summary>
    public UpstreamRegistry? Registry { get; set; }

    /// <summary>
    /// The caller and their credential, once authenticated; anonymous is an answer, not the absence of one.
    /// </summary>
    public Principal Principal
    {
        get => _principal ?? throw new InvalidOperationException("the caller is not authenticated yet");
        set => _principal = value;
    }

    /// <summary>How the credentials were judged; <see langword="null"/> where none were presented.</summary>
    public SignInAttempt? SignIn { get; set; }

    /// <summary>What a token request asked for and was granted; <see langword="null"/> for everything else.</summary>
    public TokenGrant? Grant { get; set; }

    /// <summary>
    /// The refusal or failure that was answered, whatever part wrote it; <see langword="null"/> while there is none.
    /// </summary>
    public RegistryError? Error { get; set; }

    /// <summary>The limit that refused the request, by its name; <see langword="null"/> where none did.</summary>
    public string? Limit { get; set; }

    /// <summary>
    /// What kind of token was made for this request by the token API or a page; <see langword="null"/> for everything
    /// else.
    /// </summary>
    public CredentialKind? Issued { get; set; }

    /// <summary>
    /// When the request was decided, as a time stamp of <see cref="TimeProvider"/>; zero while it is not.
    /// </summary>
    public long DecidedAt { get; set; }

    /// <summary>When it was handed to the forwarder; zero while it is not.</summary>
    public long ForwardedAt { get; set; }

    /// <summary>When the headers of the upstream's answer were there; zero while they are not.</summary>
    public long AnsweredAt { get; set; }

    /// <summary>Counts the request's body and the answer's.</summary>
    public required CountedBodies Bodies { get; init; }

    /// <summary>
    /// Whether the answer's body came out of the gateway's memory (docs/cache.md) and not from the registry.
    /// </summary>
    public bool IsFromCache { get; set; }

    /// <summary>Whether <see cref="Principal"/> is known already.</summary>
    public bool HasPrincipal => _principal is not null;

    /// <summary>Whether <see cref="Request"/> is known already.</summary>
    public bool HasRequest => _request is not null;

    /// <summary>Who calls.</summary>
    public Subject Subject => Principal.Subject;

    /// <summary>
    /// The ticket of the upload that the request continues, once it is known to be this gateway's and this very
    /// upload's; <see langword="null"/> where there is none. Whose it is must still be compared.
    /// </summary>
    public UploadTicket? Ticket { get; set; }

    /// <summary>
    /// The policies in force when this request was decided. It uses these to its end, whatever is reloaded meanwhile.
    /// </summary>
    public PolicySet Policy { get; set; } = PolicySet.Empty;

    /// <summary>
    /// The question that was decided, with its one instant: asked again a moment later, a rule bound to time may answer
    /// otherwise. Only for requests on a repository.
    /// </summary>
    public AccessRequest Access { get; set; }

    /// <summary>The policy's decision, once made. Nothing is forwarded without one that allows it.</summary>
    public AccessDecision? Decision { get; set; }

    /// <summary>
    /// Whether the audit trail gets a line of it. Not what is answered before anything is decided: health, preflights.
    /// </summary>
    public bool IsRecorded { get; set; } = true;

    /// <summary>The context of this request.</summary>
    public static GatewayContext Of(HttpContext context) => context.Features.GetRequiredFeature<GatewayContext>();
}
