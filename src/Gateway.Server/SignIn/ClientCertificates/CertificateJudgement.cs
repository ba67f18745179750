using Gateway.Server.SignIn.Authentication;

namespace Gateway.Server.SignIn.ClientCertificates;

/// <summary>The result of checking a certificate, and how long it holds.</summary>
/// <param name="Result">What was found.</param>
/// <param name="Trust">The files it was judged by.</param>
/// <param name="From">From when.</param>
/// <param name="Until">Until when.</param>
internal sealed record CertificateJudgement(
    AuthenticationResult Result, ClientCertificateTrust Trust, DateTimeOffset From, DateTimeOffset Until)
{
    /// <summary>Whether it still holds.</summary>
    public bool Holds(ClientCertificateTrust trust, DateTimeOffset now) =>
        ReferenceEquals(trust, Trust) && From <= now && now <= Until;
}
