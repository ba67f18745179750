namespace Gateway.Server.Requests.Tls;

/// <summary>What the rest of the program may know of a certificate in use; holds no key.</summary>
/// <param name="Names">DNS names and addresses of the subject alternative name; empty where there are none.</param>
/// <param name="Subject">The distinguished name of the subject.</param>
/// <param name="Issuer">The distinguished name of the issuer.</param>
/// <param name="NotBefore">When it becomes valid.</param>
/// <param name="NotAfter">When it expires.</param>
/// <param name="KeyAlgorithm">Kind and size of the key: <c>ECDSA 256</c>, <c>RSA 2048</c>.</param>
/// <param name="File">The file it was read from.</param>
/// <param name="Fingerprint">SHA-256 of the certificate in lower-case hexadecimal.</param>
internal sealed record ServedCertificate(
    IReadOnlyList<string> Names,
    string Subject,
    string Issuer,
    DateTimeOffset NotBefore,
    DateTimeOffset NotAfter,
    string KeyAlgorithm,
    string File,
    string Fingerprint)
{
    /// <summary>How messages call it: its first name, else its subject.</summary>
    public string DisplayName => Names is [var first, ..] ? first : Subject;

    public bool IsValidAt(DateTimeOffset instant) => NotBefore <= instant && instant <= NotAfter;
}
