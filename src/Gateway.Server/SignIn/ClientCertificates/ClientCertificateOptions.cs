using Gateway.Foundation.Configuration;

namespace Gateway.Server.SignIn.ClientCertificates;

/// <summary>
/// Sign-in with a client certificate, in the TLS handshake with the gateway itself. It does not work behind a load
/// balancer that terminates TLS.
/// </summary>
public sealed class ClientCertificateOptions
{
    /// <summary>
    /// A PEM file with the authorities whose certificates sign in, and with their intermediates where clients do not
    /// send them. Each authority can certify any name. Changes take effect within two seconds.
    /// </summary>
    [RequiredSetting]
    [PathSetting]
    public string CertificateAuthorities { get; set; } = "";

    /// <summary>
    /// Whether a certificate is one way to sign in (<c>optional</c>), or every client must present a valid one, however
    /// it signs in (<c>required</c>).
    /// </summary>
    public ClientCertificateMode Mode { get; set; } = ClientCertificateMode.Optional;

    /// <summary>
    /// Where the name comes from: <c>uri</c>, <c>email</c> and <c>dns</c> of the subject alternative name,
    /// <c>commonName</c> of the subject. The first kind that the certificate has is used, and it must have exactly one
    /// name of that kind.
    /// </summary>
    public List<CertificateIdentity> Identity { get; set; } =
        [CertificateIdentity.Uri, CertificateIdentity.Email, CertificateIdentity.CommonName];

    /// <summary>
    /// Domains that are removed from an email address: with <c>example.com</c>, alice@example.com is alice.
    /// </summary>
    public List<string> StripDomains { get; set; } = [];

    /// <summary>
    /// The trust domains whose SPIFFE ids are accepted: <c>example.org</c> for <c>spiffe://example.org/…</c>. Policies
    /// name their workloads <c>issuer:spiffe://example.org</c>.
    /// </summary>
    public List<string> SpiffeTrustDomains { get; set; } = [];

    /// <summary>Whether the organizational units (<c>OU</c>) of the subject become groups in policies.</summary>
    public bool OrganizationalUnitsAreGroups { get; set; }

    /// <summary>
    /// Certificate revocation lists (CRL) of the authorities, PEM or DER. A certificate whose authority has no list
    /// here never counts as revoked. Changes take effect within two seconds, on open connections and issued tokens as
    /// well.
    /// </summary>
    [PathSetting]
    public List<string> RevocationLists { get; set; } = [];

    /// <summary>
    /// What to do with a list whose next update is overdue: <c>refuse</c> its authority's certificates with 503 until
    /// there is a newer one, or <c>tolerate</c> it and go by its content.
    /// </summary>
    public ExpiredRevocationLists ExpiredRevocationLists { get; set; } = ExpiredRevocationLists.Refuse;
}

/// <summary>Who must present a certificate.</summary>
public enum ClientCertificateMode
{
    /// <summary>Clients may present one.</summary>
    Optional,

    /// <summary>Every client presents a valid one.</summary>
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

/// <summary>What to do with a revocation list that should have been replaced by now.</summary>
public enum ExpiredRevocationLists
{
    /// <summary>It no longer counts: clients that depend on it are told to try again.</summary>
    Refuse,

    /// <summary>It still counts: it is better than none.</summary>
    Tolerate,
}
