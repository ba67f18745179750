using Gateway.Foundation.Configuration;

namespace Gateway.Server.SignIn.ClientCertificates;

/// <summary>
/// Sign-in by a client certificate, in the TLS handshake with the gateway itself: behind a load balancer that ends TLS
/// there is none.
/// </summary>
public sealed class ClientCertificateOptions
{
    /// <summary>
    /// A PEM file with the authorities whose certificates sign in, and their intermediates where clients do not send
    /// them. Each of them may vouch for every name. Changes are seen within two seconds.
    /// </summary>
    [RequiredSetting]
    [PathSetting]
    public string CertificateAuthorities { get; set; } = "";

    /// <summary>
    /// Whether a certificate is one way to sign in (<c>optional</c>), or everybody must show a good one, also who signs in
    /// otherwise (<c>required</c>).
    /// </summary>
    public ClientCertificateMode Mode { get; set; } = ClientCertificateMode.Optional;

    /// <summary>
    /// Where the name stands: <c>uri</c>, <c>email</c> and <c>dns</c> of the subject alternative name, <c>commonName</c> of
    /// the subject. The first that the certificate has decides, and it must have exactly one of it.
    /// </summary>
    public List<CertificateIdentity> Identity { get; set; } =
        [CertificateIdentity.Uri, CertificateIdentity.Email, CertificateIdentity.CommonName];

    /// <summary>Domains that are left out of an email address: with <c>example.com</c>, alice@example.com is alice.</summary>
    public List<string> StripDomains { get; set; } = [];

    /// <summary>
    /// The trust domains whose SPIFFE ids are accepted: <c>example.org</c> for <c>spiffe://example.org/…</c>. Policies name
    /// their workloads <c>issuer:spiffe://example.org</c>.
    /// </summary>
    public List<string> SpiffeTrustDomains { get; set; } = [];

    /// <summary>Whether the organizational units (<c>OU</c>) of the subject are groups in policies.</summary>
    public bool OrganizationalUnitsAreGroups { get; set; }

    /// <summary>
    /// Revocation lists of the authorities (CRL), PEM or DER. A certificate whose authority has no list here is not
    /// revoked. Changes are seen within two seconds, on open connections and issued tokens as well.
    /// </summary>
    [PathSetting]
    public List<string> RevocationLists { get; set; } = [];

    /// <summary>
    /// What to make of a list after its next update was due: <c>refuse</c> its authority's certificates with 503 until there
    /// is a newer one, or <c>tolerate</c> it and go by what it says.
    /// </summary>
    public ExpiredRevocationLists ExpiredRevocationLists { get; set; } = ExpiredRevocationLists.Refuse;
}

/// <summary>Whom a certificate is demanded of.</summary>
public enum ClientCertificateMode
{
    /// <summary>Whoever wants shows one.</summary>
    Optional,

    /// <summary>Everybody shows a good one.</summary>
    Required,
}

/// <summary>A place in a certificate that holds a name.</summary>
public enum CertificateIdentity
{
    /// <summary>A URI of the subject alternative name: a SPIFFE id.</summary>
    Uri,

    /// <summary>An email address of the subject alternative name.</summary>
    Email,

    /// <summary>A DNS name of the subject alternative name.</summary>
    Dns,

    /// <summary>The common name (<c>CN</c>) of the subject.</summary>
    CommonName,
}

/// <summary>What to make of a revocation list that should have been replaced by now.</summary>
public enum ExpiredRevocationLists
{
    /// <summary>It says nothing any more: who depends on it is told to come again.</summary>
    Refuse,

    /// <summary>It is better than none.</summary>
    Tolerate,
}
