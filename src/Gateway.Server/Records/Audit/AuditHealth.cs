using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Records.Audit;

/// <summary>
/// The trail in <c>/readyz</c>. Where it blocks, a gateway that cannot record serves nobody: another replica, with a
/// disk of its own, may.
/// </summary>
internal sealed class AuditHealth(AuditTrail trail, AuditOptions options) : IHealthPart
{
    /// <inheritdoc/>
    public string Name => "audit";

    /// <inheritdoc/>
    public bool IsUp => !trail.IsFailing;

    /// <inheritdoc/>
    public bool IsEssential => options.OnFailure == AuditFailureMode.Block;
}
