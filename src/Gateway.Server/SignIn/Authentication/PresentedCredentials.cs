using Gateway.Core.Tokens;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Tls;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>
/// What a request presents as its credentials, by form; nothing of it is verified yet. Prints no secret.
/// </summary>
internal readonly record struct PresentedCredentials
{
    /// <summary>The longest header read with a user name and a password, in characters.</summary>
    public const int MaxHeaderLength = 8192;

    /// <summary>
    /// The longest header read with an ID token in the password's place: base64 of a user name, a colon and the longest
    /// token.
    /// </summary>
    public const int MaxIdTokenHeaderLength = 16 + ((JwtParts.MaxLength + 512) / 3 * 4);

    /// <summary>
    /// The longest header read with a token: an access token for as many repositories as there may be fits.
    /// </summary>
    public const int MaxBearerLength = (16 * 1024) + 16;

    private readonly CredentialFault? _fault;

    private PresentedCredentials(
        PresentedCredentialsKind kind,
        PresentedSecret secret = default,
        BasicCredentials password = default,
        PresentedCertificate? certificate = null,
        CredentialFault? fault = null)
    {
        Kind = kind;
        Certificate = certificate;
        Secret = secret;
        Form = FormOf(kind, secret.Form);
        Password = password;
        _fault = fault;
    }

    /// <summary>Which of the forms it is.</summary>
    public PresentedCredentialsKind Kind { get; }

    /// <summary>What they are for limits, records and metrics, and for the methods that judge them.</summary>
    public SignInForm Form { get; }

    /// <summary>The password or what follows <c>Bearer</c>, for these kinds.</summary>
    public PresentedSecret Secret { get; }

    /// <summary>User name and password, for that kind.</summary>
    public BasicCredentials Password { get; }

    /// <summary>What the connection presented, for that kind.</summary>
    public PresentedCertificate? Certificate { get; }

    /// <summary>What follows <c>Bearer</c>, for that kind.</summary>
    public string Token =>
        Kind == PresentedCredentialsKind.Bearer ? Secret.Text : throw new InvalidOperationException("no token");

    /// <summary>Why they cannot be read; for that kind.</summary>
    public CredentialFault Fault =>
        Kind == PresentedCredentialsKind.Unreadable ? _fault! : throw new InvalidOperationException("no fault");

    /// <summary>
    /// Reads an <c>Authorization</c> header (RFC 9110, section 11.4): a scheme, one space, a token68.
    /// </summary>
    /// <param name="header">
    /// The header's value, untrusted; <see langword="null"/> where the request has none. Several such headers are the
    /// caller's to refuse; joined by a comma they are malformed here.
    /// </param>
    public static PresentedCredentials Read(string? header)
    {
        if (header is null)
        {
            return default;
        }

        if (header.Length > MaxIdTokenHeaderLength)
        {
            return Unreadable(CredentialFault.TooLong);
        }

        var space = header.IndexOf(' ', StringComparison.Ordinal);
        var scheme = space < 0 ? header : header.AsSpan(0, space);
        var parameter = space < 0 ? [] : header.AsSpan(space + 1);
        if (scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase))
        {
            return header.Length > MaxBearerLength
                ? Unreadable(CredentialFault.TooLong)
                : new PresentedCredentials(
                    PresentedCredentialsKind.Bearer, PresentedSecret.OfBearer(parameter.ToString()));
        }

        if (!scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase))
        {
            return Unreadable(CredentialFault.Scheme);
        }

        if (!BasicCredentials.TryParse(parameter, out var credentials, out var fault))
        {
            return Unreadable(header.Length > MaxHeaderLength ? CredentialFault.TooLong : fault);
        }

        var read = OfPassword(credentials);
        return header.Length > MaxHeaderLength && read.Form != SignInForm.IdToken
            ? Unreadable(CredentialFault.TooLong)
            : read;
    }

    /// <summary>User name and password. Podman and skopeo leave both empty where they have none.</summary>
    public static PresentedCredentials OfPassword(BasicCredentials credentials) =>
        credentials is { UserName: "", Password: "" }
            ? default
            : new PresentedCredentials(
                PresentedCredentialsKind.Password, PresentedSecret.OfPassword(credentials.Password), credentials);

    /// <summary>
    /// These, or the connection's certificate where a request presents none of its own. What is sent on purpose counts
    /// before what a client presents automatically; and where it is wrong, the certificate does not make it good.
    /// </summary>
    public PresentedCredentials Or(PresentedCertificate? certificate) =>
        Kind == PresentedCredentialsKind.None && certificate is not null
            ? new PresentedCredentials(PresentedCredentialsKind.Certificate, certificate: certificate)
            : this;

    /// <inheritdoc/>
    public override string ToString() => Kind.ToString();

    // The guard counts what is a password here; what is not one reaches no method that checks passwords.
    private static SignInForm FormOf(PresentedCredentialsKind kind, SecretForm secret) => (kind, secret) switch
    {
        (PresentedCredentialsKind.None, _) => SignInForm.None,
        (PresentedCredentialsKind.Certificate, _) => SignInForm.Certificate,
        (PresentedCredentialsKind.Unreadable, _) => SignInForm.Unreadable,
        (_, SecretForm.Token or SecretForm.Mistyped) => SignInForm.Token,
        (_, SecretForm.RefreshToken) => SignInForm.RefreshToken,
        (_, SecretForm.Session) => SignInForm.Session,
        (PresentedCredentialsKind.Password, SecretForm.IdToken) => SignInForm.IdToken,
        (PresentedCredentialsKind.Password, _) => SignInForm.Password,
        (PresentedCredentialsKind.Bearer, SecretForm.DeviceCode) => SignInForm.Device,
        _ => SignInForm.AccessToken,
    };

    private static PresentedCredentials Unreadable(CredentialFault fault) =>
        new(PresentedCredentialsKind.Unreadable, fault: fault);
}

/// <summary>The forms of credentials.</summary>
internal enum PresentedCredentialsKind
{
    /// <summary>None at all: anonymous.</summary>
    None,

    /// <summary>User name and password (RFC 7617); the password may be a token's secret.</summary>
    Password,

    /// <summary>An access token, or the secret of another token (RFC 6750).</summary>
    Bearer,

    /// <summary>A client certificate, presented in the handshake.</summary>
    Certificate,

    /// <summary>Something, but nothing that can be read. It is refused, never anonymous.</summary>
    Unreadable,
}
