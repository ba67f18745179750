using Gateway.Foundation.Configuration;

namespace Gateway.Server.SignIn.Issuers;

/// <summary>An outside issuer of ID tokens, and how its keys are reached.</summary>
public abstract class IssuerOptions
{
    /// <summary>
    /// The issuer, exactly as its tokens name it in <c>iss</c>, for example
    /// <c>https://keycloak.example.com/realms/main</c>:
    /// <c>https</c>, or <c>http</c> on this machine's loopback interface.
    /// </summary>
    [RequiredSetting]
    public string Issuer { get; set; } = "";

    /// <summary>PEM file of the authorities to trust for the issuer's TLS instead of the system's.</summary>
    [PathSetting]
    public string? CertificateAuthority { get; set; }
}
