using Gateway.Server.Records.Audit;

namespace Gateway.Server.Host.Rotation;

/// <summary>What the host knows of recorded reloads.</summary>
internal static class ReloadAuditExtensions
{
    /// <summary>
    /// Adds what records reloads, where there is a trail. Behind the trail itself, which begins before it.
    /// </summary>
    public static IServiceCollection AddReloadAudit(this IServiceCollection services, AuditOptions options) =>
        options.Enabled ? services.AddHostedService<ReloadAudit>() : services;
}
