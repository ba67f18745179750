using Gateway.Foundation.Configuration;
using Gateway.Server.SignIn.Issuers;

namespace Gateway.Server.SignIn.Workloads;

/// <summary>
/// An issuer whose ID tokens jobs sign in with: GitHub Actions, GitLab CI, Kubernetes service accounts, any OpenID provider.
/// </summary>
public sealed class WorkloadOptions : IssuerOptions
{
    /// <summary>
    /// The audience that a token must have been issued for, usually this registry's own URL. A token for somebody else, who
    /// could pass it on, is refused.
    /// </summary>
    [RequiredSetting]
    public string Audience { get; set; } = "";

    /// <summary>
    /// File with the issuer's keys (JWKS), where it cannot be asked for them: <c>kubectl get --raw /openid/v1/jwks</c>.
    /// </summary>
    [PathSetting]
    public string? Keys { get; set; }

    /// <summary>
    /// The longest life that a token may have been issued with, from its <c>iat</c> to its <c>exp</c>: 1 minute to 3650 days.
    /// One that lives longer is refused. Any, unless set.
    /// </summary>
    public TimeSpan? MaximumTokenLifetime { get; set; }

    /// <summary>
    /// Nested claims that policies see, by the name that they have there: <c>namespace: kubernetes.io.namespace</c>. Claims of
    /// the topmost level are seen anyway.
    /// </summary>
    public Dictionary<string, string> Claims { get; set; } = [];

    /// <summary>Which tokens are let in, and as whom. The first that matches decides; without a match the token is refused.</summary>
    [RequiredSetting]
    public List<WorkloadRuleOptions> Rules { get; set; } = [];
}

/// <summary>Tokens that are let in, and as whom.</summary>
public sealed class WorkloadRuleOptions
{
    /// <summary>The rule's name, for records.</summary>
    [RequiredSetting]
    public string Name { get; set; } = "";

    /// <summary>What <c>sub</c> must match, <c>*</c> standing for anything. Not needed beside <c>require</c>.</summary>
    public string? Subject { get; set; }

    /// <summary>
    /// Claims that a token must have, each with what it must match, <c>*</c> standing for anything: <c>repository_owner_id:
    /// "1234"</c>. Ids stay with their owner; names are given to somebody else after a renaming.
    /// </summary>
    public Dictionary<string, string> Require { get; set; } = [];

    /// <summary>
    /// The workload's name, with claims in braces: <c>{repository}</c>. In records it stands behind the issuer's:
    /// <c>workload:github/acme/app</c>.
    /// </summary>
    [RequiredSetting]
    public string As { get; set; } = "";

    /// <summary>Groups that the workload is in, with claims in braces: <c>gh-{repository_owner}</c>.</summary>
    public List<string> Groups { get; set; } = [];

    /// <summary>
    /// What its tokens may do at most, such as <c>acme/**:pull,push</c>; policies grant it all the same. Without any: what
    /// policies grant.
    /// </summary>
    public List<string> Scopes { get; set; } = [];

    /// <summary>
    /// How long a job goes on with the token that it signed in with, counted from its first use: 1 minute to 24 hours. The
    /// only credential that lasts longer than what it was given for, so no longer than jobs take.
    /// </summary>
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromHours(1);
}
