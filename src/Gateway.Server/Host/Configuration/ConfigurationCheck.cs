using Gateway.Foundation.Configuration;
using Gateway.Server.Portal.Trust;
using Gateway.Server.Records.Audit;
using Gateway.Server.Registry.Contents;
using Gateway.Server.Registry.Policies;
using Gateway.Server.Requests.Redis;
using Gateway.Server.Requests.Tls;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.SignIn.ClientCertificates;
using Gateway.Server.SignIn.Ldap;
using Gateway.Server.SignIn.Workloads;
using Gateway.Server.Store.Keys;
using Gateway.Server.Store.State;

namespace Gateway.Server.Host.Configuration;

/// <summary>
/// What a configuration names outside itself, read as a start would read it: certificates, users, policies, the store.
/// </summary>
/// <remarks>
/// <c>gateway config check</c> and the start run the same list, so neither finds what the other lets pass.
/// </remarks>
internal static class ConfigurationCheck
{
    /// <summary>The checks. A capability that reads files adds one line.</summary>
    private static readonly Func<GatewayOptions, IEnumerable<Problem>>[] Checks =
    [
        Loading(static options => CertificateSet.Load(options.Tls, options.PublicUrl, TimeProvider.System.GetUtcNow())),
        Loading(static options => TrustServiceExtensions.Load(options.Tls, TimeProvider.System.GetUtcNow())),
        Loading(static options => AuthenticationServiceExtensions.LoadUsers(options.Authentication)),
        Loading(static options => ClientCertificateTrustReader.Load(options.Authentication.ClientCertificates)),
        static options => LdapServiceExtensions.Check(options.Authentication),
        Loading(static options => options.LoadPolicies()),
        Loading(static options => options.LoadUpstreamTrust()),
        Loading(static options => RedisTrust.Load(options.Redis)),
        static options => SigningKeyServiceExtensions.Check(
            options.SigningKeySettings(), options.Tokens.Keys, options.State.Folder),
        Loading(static options => StateServiceExtensions.Check(options.State)),
        static options => AuditServiceExtensions.Check(options.Audit, options.State.Folder),
    ];

    /// <summary>Runs every check; none stops the others.</summary>
    /// <param name="options">Loaded and valid.</param>
    /// <returns>Every problem; none where a start would succeed.</returns>
    public static IReadOnlyList<Problem> Run(GatewayOptions options) => [.. Checks.SelectMany(check => check(options))];

    /// <summary>
    /// What a start would accept, but an operator hardly means. Ask only where <see cref="Run"/> found nothing.
    /// </summary>
    public static IReadOnlyList<Problem> Warnings(GatewayOptions options)
    {
        var now = TimeProvider.System.GetUtcNow();
        var certificates = CertificateSet.Load(options.Tls, options.PublicUrl, now);
        var policies = PolicyFolder.Read(options.Policies, requiresEnd: options.RequireDocumentEnd);
        return
        [
            .. certificates.Warnings,
            .. certificates.ExpiryWarnings(now),
            .. TrustServiceExtensions.Warnings(options.Tls, certificates, now),
            .. ClientCertificateTrustReader.Load(options.Authentication.ClientCertificates).Warnings(now),
            .. AuthenticationServiceExtensions.LoadUsers(options.Authentication).HasOpenLine
                ? [HtpasswdReplacement.OpenLine(options.Authentication.Htpasswd!.File)]
                : (IEnumerable<Problem>)[],
            .. policies.Warnings,
            .. ContentServiceExtensions.Warnings(options.ContentCache, options.Registries),
            .. GitHubSubjects.OfRules(options.Authentication),
            .. GitHubSubjects.OfPolicies(options.Authentication, policies.Policy.Definition),
        ];
    }

    /// <summary>Makes a check of a loader that throws <see cref="ProblemException"/>.</summary>
    public static Func<GatewayOptions, IEnumerable<Problem>> Loading(Action<GatewayOptions> load) => options =>
    {
        try
        {
            load(options);
            return [];
        }
        catch (ProblemException exception)
        {
            return exception.Problems;
        }
    };
}
