using Gateway.Core.Authorization;
using Gateway.Foundation.Configuration;
using Gateway.Server.Limits.RateLimiting;
using Gateway.Server.Records.Audit;
using Gateway.Server.Registry.Authorization;
using Gateway.Server.Registry.Proxying;
using Gateway.Server.Requests.Redis;
using Gateway.Server.Requests.Routing;
using Gateway.Server.Store.Identities;
using Gateway.Server.Store.Keys;
using Gateway.Server.Store.State;

namespace Gateway.Server.Host.Configuration;

/// <summary>
/// What a valid configuration means for each capability: which sections it is given. The server, the commands and the
/// doctor all read it here, so that they cannot come to differ.
/// </summary>
internal static class GatewayOptionsExtensions
{
    /// <summary>The folder of the signing keys: as configured, or in the state folder.</summary>
    public static string KeyFolderPath(this GatewayOptions options) =>
        KeyFolder.PathFrom(options.Tokens.Keys, options.State.Folder);

    /// <summary>When signing keys come, sign and go.</summary>
    public static SigningKeySettings SigningKeySettings(this GatewayOptions options) =>
        new(options.Tokens.Algorithm, options.Tokens.Keys.RotateAfter, options.Tokens.UploadWindow);

    /// <summary>
    /// Reads the limits anew. Of a changed file nothing but this section is taken; the rest is in force from a start
    /// on.
    /// </summary>
    /// <exception cref="ProblemException">The file is wrong.</exception>
    public static LimitOptions ReadLimits(this GatewayOptions options) => options.File is { } file
        ? ConfigurationLoader.Load(file, ProcessEnvironment.Read()).Limits
        : options.Limits;

    /// <summary>The audit file's path; <see langword="null"/> where there is none.</summary>
    public static string? AuditFilePath(this GatewayOptions options) => options.AuditFileOptions()?.Path;

    /// <summary>
    /// The settings of the audit file, its path filled in; <see langword="null"/> where there is none.
    /// </summary>
    public static AuditFileOptions? AuditFileOptions(this GatewayOptions options) =>
        AuditServiceExtensions.FileOptions(options.Audit, options.State.Folder);

    /// <summary>Records, before it has any effect, that a command runs.</summary>
    /// <inheritdoc cref="CommandAudit.Begin"/>
    public static CommandAudit BeginAudit(
        this GatewayOptions options, string command, string? target, TimeProvider time, Action<string> warn) =>
        CommandAudit.Begin(options.Audit, options.AuditFileOptions(), command, target, time, warn);

    /// <summary>Which registry holds a repository.</summary>
    public static RegistryRouter CreateRouter(this GatewayOptions options) =>
        new(options.PublicUrl!, options.Hosts, options.Registries);

    /// <summary>Reads the authorities of the registries.</summary>
    /// <exception cref="ProblemException">A configured file cannot be read or holds no certificate.</exception>
    public static UpstreamTrust LoadUpstreamTrust(this GatewayOptions options) => new(options.Registries);

    /// <summary>Where the policies are and what they must hold.</summary>
    public static PolicySource PolicySource(this GatewayOptions options) => new(
        options.Policies,
        [.. options.Registries.Select(static registry => registry.Name)],
        options.RequireDocumentEnd,
        options.TestPolicies)
    {
        Reader = options.PolicyReader,
    };

    /// <summary>Reads the policies; a rule for a registry that is not configured is a problem.</summary>
    /// <exception cref="ProblemException">
    /// They are wrong, or fail their own tests where those are asked for.
    /// </exception>
    public static PolicySet LoadPolicies(this GatewayOptions options) => options.PolicySource().Load();

    /// <summary>Opens the store for a command, next to a gateway that may run.</summary>
    /// <exception cref="ProblemException">The file, or that of Redis's authorities, cannot be used.</exception>
    public static ICredentialStore OpenStore(this GatewayOptions options) =>
        StateServiceExtensions.OpenForCommand(options.State, options.Redis);

    /// <summary>Opens credentials and identities for a command.</summary>
    /// <exception cref="ProblemException">The file, or that of Redis's authorities, cannot be used.</exception>
    public static CommandStores OpenStores(this GatewayOptions options) =>
        CommandStores.Open(options.State, options.Redis);

    /// <summary>Connects a command to Redis, where a section <c>redis</c> is there.</summary>
    /// <exception cref="ProblemException">The file of Redis's authorities cannot be used.</exception>
    public static RedisConnection ConnectToRedis(this GatewayOptions options) =>
        StateServiceExtensions.ConnectForCommand(options.Redis!);
}
