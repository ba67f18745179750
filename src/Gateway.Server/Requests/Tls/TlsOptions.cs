using Gateway.Foundation.Configuration;

namespace Gateway.Server.Requests.Tls;

/// <summary>Certificates of the TLS listener. TLS 1.2 and 1.3 only, HTTP/1.1 and HTTP/2.</summary>
public sealed class TlsOptions
{
    /// <summary>
    /// Certificate and key pairs; the gateway serves the one whose names match the client's SNI, otherwise the first.
    /// </summary>
    [RequiredSetting]
    public List<CertificateOptions> Certificates { get; set; } = [];

    /// <summary>
    /// The certificate of the private authority that signed the certificates, PEM. <c>/trust</c> then shows how to make
    /// clients trust it, and <c>/trust/ca.crt</c> serves it to anyone.
    /// </summary>
    [PathSetting]
    public string? Authority { get; set; }

    /// <summary>
    /// How long browsers remember to use HTTPS only (<c>Strict-Transport-Security</c>); zero sends no header.
    /// </summary>
    public TimeSpan HstsMaxAge { get; set; } = TimeSpan.FromDays(365);
}

/// <summary>One certificate with its private key, both PEM. Renewed files are served within two seconds.</summary>
public sealed class CertificateOptions
{
    /// <summary>The certificate, followed by its intermediates.</summary>
    [RequiredSetting]
    [PathSetting]
    public string Certificate { get; set; } = "";

    /// <summary>The unencrypted private key, RSA or ECDSA (PKCS#8, PKCS#1 or SEC1).</summary>
    [RequiredSetting]
    [PathSetting]
    public string Key { get; set; } = "";
}
