using Gateway.Core.Authorization;
using Gateway.Server.Requests.Reloading;
using Gateway.Server.SignIn.Authentication;

namespace Gateway.Server.SignIn.ClientCertificates;

/// <summary>Whether tokens that were issued for certificates are still good.</summary>
/// <param name="method">People's certificates, or those of a trust domain's workloads.</param>
/// <param name="trust">The files in force.</param>
internal sealed class CertificateSubjectSource(string method, Reloadable<ClientCertificateTrust> trust) : ISubjectSource
{
    private static readonly SubjectState.Gone NobodyByName = new(
        "users of client certificates cannot be looked up without their certificate",
        "its owner signs in with a client certificate only");

    private static readonly AuthenticationResult.Refused NoCertificate = new(
        "there is no client certificate behind it");

    /// <inheritdoc/>
    public string Method => method;

    /// <inheritdoc/>
    public AuthenticationResult.Refused? FindFault(Subject subject, string? evidence) =>
        evidence is null ? NoCertificate : trust.Current.FindFault(evidence);

    /// <inheritdoc/>
    /// <remarks>
    /// No one can be asked whom certificates name. So no token is created that outlives them, and every other method's
    /// names come before theirs (see <see cref="SignInMethods"/>).
    /// </remarks>
    public ValueTask<SubjectState> ResolveAsync(string name, CancellationToken cancellationToken) =>
        ValueTask.FromResult<SubjectState>(NobodyByName);
}
