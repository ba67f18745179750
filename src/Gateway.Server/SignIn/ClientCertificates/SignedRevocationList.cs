using System.Security.Cryptography.X509Certificates;

namespace Gateway.Server.SignIn.ClientCertificates;

/// <summary>A revocation list whose signature was verified.</summary>
/// <param name="Authority">Whose key signed it.</param>
/// <param name="List">The list.</param>
/// <param name="File">Where it was read.</param>
internal sealed record SignedRevocationList(X509Certificate2 Authority, RevocationList List, string File);
