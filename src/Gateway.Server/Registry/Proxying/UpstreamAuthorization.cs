using System.Collections.Concurrent;
using System.Net;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Server.Requests.Routing;
using Gateway.Server.Tokens.Service;

namespace Gateway.Server.Registry.Proxying;

/// <summary>
/// The one place that makes the <c>Authorization</c> header for an upstream: the configured credential, or a token for
/// exactly what was decided. Never anything that a client sent.
/// </summary>
internal sealed partial class UpstreamAuthorization(
    UpstreamTokens tokens, TimeProvider time, ILogger<UpstreamAuthorization> logger)
{
    // Who asks, in the upstream's log, where the gateway itself does. No subject is of the kind "gateway".
    private const string Self = "gateway:self";

    private static readonly TimeSpan BetweenReports = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<UpstreamRegistry, long> _reported = new();

    /// <summary>The header for a client's request that was allowed; <see langword="null"/>: none is sent.</summary>
    public string? ForRequest(UpstreamRegistry registry, RegistryRequest request, Subject subject) =>
        registry.ForwardsToken
            ? tokens.HeaderFor(NameOf(subject), new UpstreamAccess(
                registry.ToUpstream(request.Repository!),
                ActionsFor(request.Operation),
                request.Parameters.From is { } source ? registry.ToUpstream(source) : null))
            : registry.Credential;

    // With its kind: a robot "admin" is not the person "admin". Nobody in particular is nobody, as the token protocol
    // has it.
    private static string NameOf(Subject subject) => subject.IsAnonymous ? "" : subject.ToString();

    /// <summary>The header for a question of the gateway's own.</summary>
    /// <param name="registry">The registry.</param>
    /// <param name="repository">
    /// The repository that is read, by its public name; <see langword="null"/> for the catalog.
    /// </param>
    public string? ForQuestion(UpstreamRegistry registry, RepositoryName? repository) =>
        registry.ForwardsToken
            ? tokens.HeaderFor(Self, new UpstreamAccess(
                repository is null ? null : registry.ToUpstream(repository), RepositoryActions.Pull))
            : registry.Credential;

    /// <summary>Whether an upstream's answer means that it did not take what this class made.</summary>
    public static bool IsRefusal(HttpStatusCode status) => status
        is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.ProxyAuthenticationRequired;

    /// <summary>Tells the operator that an upstream refused the header, and gives what to tell the client.</summary>
    public RegistryError Refused(UpstreamRegistry registry, HttpStatusCode status)
    {
        // Every request meets it; a line a minute is enough.
        var now = time.GetTimestamp();
        if (!_reported.TryGetValue(registry, out var last) || time.GetElapsedTime(last, now) >= BetweenReports)
        {
            _reported[registry] = now;
            if (registry.ForwardsToken)
            {
                Log.TokenRefused(logger, registry.Name, (int)status);
            }
            else
            {
                Log.CredentialRefused(logger, registry.Name, (int)status);
            }
        }

        return registry.ForwardsToken ? UpstreamErrors.Token : UpstreamErrors.Credential;
    }

    // Distribution takes the action from the method, so that giving up an upload needs delete there. Here it needs
    // push, and nobody sees this token but the upstream.
    private static RepositoryActions ActionsFor(RegistryOperation operation) =>
        RequiredAccess.For(operation)
        | (operation == RegistryOperation.CancelUpload ? RepositoryActions.Delete : RepositoryActions.None);

    private static partial class Log
    {
        [LoggerMessage(1404, LogLevel.Error,
            "Registry {Registry} answered {Status}: it refused the gateway's token (forwardToken). "
            + "\"gateway keys probe {Registry}\" tells why. Other registries are not affected.")]
        public static partial void TokenRefused(ILogger logger, string registry, int status);

        [LoggerMessage(1405, LogLevel.Error,
            "Registry {Registry} answered {Status}: it refused the gateway's credential, or requires one. Set the "
            + "registry's \"credential\". Other registries are not affected.")]
        public static partial void CredentialRefused(ILogger logger, string registry, int status);
    }
}
