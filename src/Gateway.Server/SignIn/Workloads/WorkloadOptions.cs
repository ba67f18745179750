using Gateway.Foundation.Configuration;
using Gateway.Server.SignIn.Issuers;

namespace Gateway.Server.SignIn.Workloads;

/// <summary>
/// An issuer of ID tokens that jobs sign in with: GitHub Actions, GitLab CI, Kubernetes service accounts, any OpenID
/// provider.
/// </summary>
public sealed class WorkloadOptions : IssuerOptions
{
    /// <summary>
    /// The audience that a token must be issued for, usually this registry's own URL. A token for another audience is
    /// refused, since that audience could pass it on.
    /// </summary>
    [RequiredSetting]
    public string Audience { get; set; } = "";

    /// <summary>
    /// A file with the issuer's keys (JWKS), where the gateway cannot fetch them: <c>kubectl get --raw
    /// /openid/v1/jwks</c>.
    /// </summary>
    [PathSetting]
    public string? Keys { get; set; }

    /// <summary>
    /// The longest lifetime that a token may be issued with, from its <c>iat</c> to its <c>exp</c>: 1 minute to 3650
    /// days. A token with a longer lifetime is refused. Not set: any lifetime.
    /// </summary>
    public TimeSpan? MaximumTokenLifetime { get; set; }

    /// <summary>
    /// Nested claims that policies see, each under its name in policies: <c>namespace: kubernetes.io.namespace</c>.
    /// Policies see top-level claims anyway.
    /// </summary>
    public Dictionary<string, string> Claims { get; set; } = [];

    /// <summary>
    /// Which tokens are accepted, and as whom. The first rule that matches decides; without a match the token is
    /// refused.
    /// </summary>
    [RequiredSetting]
    public List<WorkloadRuleOptions> Rules { get; set; } = [];
}

/// <summary>Tokens that are accepted, and as whom.</summary>
public sealed class WorkloadRuleOptions
{
    /// <summary>The rule's name, for records.</summary>
    [RequiredSetting]
    public string Name { get; set; } = "";

    /// <summary>
    /// What <c>sub</c> must match, in which <c>*</c> matches any text. Not needed beside <c>require</c>.
    /// </summary>
    public string? Subject { get; set; }

    /// <summary>
    /// Claims that a token must have, each with what it must match, in which <c>*</c> matches any text:
    /// <c>repository_owner_id: "1234"</c>. Ids stay with their owner; after a rename, someone else can take the old
    /// name.
    /// </summary>
    public Dictionary<string, string> Require { get; set; } = [];

    /// <summary>
    /// The workload's name, with claims in braces: <c>{repository}</c>. In records it follows the issuer's name:
    /// <c>workload:github/acme/app</c>.
    /// </summary>
    [RequiredSetting]
    public string As { get; set; } = "";

    /// <summary>The workload's groups, with claims in braces: <c>gh-{repository_owner}</c>.</summary>
    public List<string> Groups { get; set; } = [];

    /// <summary>
    /// The most that its tokens may do, such as <c>acme/**:pull,push</c>; policies must grant it as well. Without any:
    /// what policies grant.
    /// </summary>
    public List<string> Scopes { get; set; } = [];

    /// <summary>
    /// How long a job can use the token that it signed in with, counted from its first use: 1 minute to 24 hours. This
    /// is the only credential that can outlast the one it was issued for, so set no more time than jobs take.
    /// </summary>
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromHours(1);
}
