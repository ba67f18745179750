using System.Security.Cryptography.X509Certificates;
using Gateway.Foundation.Configuration;

namespace Gateway.Foundation.Trust;

/// <summary>The certificates that clients should trust: those of one PEM file, which was checked.</summary>
/// <param name="File">The file.</param>
/// <param name="Certificates">At least one, each once.</param>
/// <param name="Warnings">What a person should know, although the authority can be trusted.</param>
internal sealed record PrivateAuthority(
    string File, IReadOnlyList<X509Certificate2> Certificates, IReadOnlyList<Problem> Warnings)
{
    /// <summary>The certificates as PEM, without anything else from the file.</summary>
    public string Pem => string.Concat(Certificates.Select(PemOf));

    /// <summary>One certificate as PEM.</summary>
    public static string PemOf(X509Certificate2 certificate) => certificate.ExportCertificatePem() + "\n";

    /// <summary>The SHA-256 fingerprint as shown by openssl and browsers: <c>AB:CD:…</c>.</summary>
    public static string FingerprintOf(X509Certificate2 certificate) =>
        string.Join(
            ':',
            certificate.GetCertHash(System.Security.Cryptography.HashAlgorithmName.SHA256).Select(
                static one => one.ToString("X2", System.Globalization.CultureInfo.InvariantCulture)));

    /// <summary>The period of validity: <c>2026-01-02 to 2036-01-02</c>.</summary>
    public static string ValidityOf(X509Certificate2 certificate) => string.Create(
        System.Globalization.CultureInfo.InvariantCulture,
        $"{certificate.NotBefore.ToUniversalTime():yyyy-MM-dd} to {certificate.NotAfter.ToUniversalTime():yyyy-MM-dd}");
}
