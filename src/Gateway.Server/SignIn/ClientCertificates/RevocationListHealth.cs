using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Reloading;

namespace Gateway.Server.SignIn.ClientCertificates;

/// <summary>Reports in <c>/readyz</c> that a revocation list was not replaced in time.</summary>
internal sealed class RevocationListHealth(Reloadable<ClientCertificateTrust> trust, TimeProvider time) : IHealthPart
{
    /// <inheritdoc/>
    public string Name => "revocationLists";

    /// <inheritdoc/>
    public bool IsUp => time.GetUtcNow() <= trust.Current.Index.FirstExpiry;
}
