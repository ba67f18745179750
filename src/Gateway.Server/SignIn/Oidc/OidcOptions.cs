using Gateway.Foundation.Configuration;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.SignIn.Issuers;

namespace Gateway.Server.SignIn.Oidc;

/// <summary>
/// An OpenID provider that people sign in with in the browser: Keycloak, Entra ID, Okta, Google, Dex, GitLab. Its redirect URI is
/// <c>https://HOST/sign-in/NAME/callback</c>.
/// </summary>
public sealed class OidcOptions : IssuerOptions
{
    /// <summary>What the button on the page of sign-in says; the name in the configuration unless set.</summary>
    public string? Title { get; set; }

    /// <summary>This gateway's id at the provider.</summary>
    [RequiredSetting]
    public string ClientId { get; set; } = "";

    /// <summary>Its secret there.</summary>
    [RequiredSetting]
    [SecretSetting]
    public string? ClientSecret { get; set; }

    /// <summary>
    /// What is asked for. <c>offline_access</c> has the provider give a refresh token, by which the gateway sees that a person
    /// was disabled; without one see <c>trustWithoutRefresh</c>.
    /// </summary>
    public List<string> Scopes { get; set; } = ["openid", "profile", "email", "offline_access"];

    /// <summary>
    /// Further parameters of the request that begins a sign-in: <c>access_type: offline</c> for Google. <c>prompt</c> is
    /// <c>consent</c> where <c>offline_access</c> is asked for, unless it stands here; empty leaves it out.
    /// </summary>
    public Dictionary<string, string> Parameters { get; set; } = [];

    /// <summary>
    /// The claim that is the user's name here, a path with dots: <c>preferred_username</c>, <c>email</c> (which must be verified).
    /// The provider must not let people choose it freely.
    /// </summary>
    public string NameClaim { get; set; } = "preferred_username";

    /// <summary>How names stand here: <c>plain</c>, or <c>qualified</c> by the provider's name, such as <c>corp/alice</c>. With <c>collisions: refuse</c>, plain only at the last of the <c>order</c>.</summary>
    public NameForm Names { get; set; } = NameForm.Plain;

    /// <summary>Where groups come from, and what they are called here.</summary>
    public OidcGroupOptions Groups { get; set; } = new();

    /// <summary>The group, by its name here, whose members are administrators as those of <c>tokens.administrators</c> are.</summary>
    public string? AdminGroup { get; set; }

    /// <summary>
    /// Claims that a person must have to be let in, each with what it must match, <c>*</c> standing for anything:
    /// <c>hd: example.com</c>.
    /// </summary>
    public Dictionary<string, string> Require { get; set; } = [];

    /// <summary>Claims that policies see, by the name that they have there, each with its path: <c>department: org.unit</c>.</summary>
    public Dictionary<string, string> Claims { get; set; } = [];

    /// <summary>
    /// How long what the provider said of a person holds before it is asked again, when a token of his is used: 10 seconds to
    /// 24 hours. Who is disabled there is out here after it.
    /// </summary>
    public TimeSpan RevalidateEvery { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>
    /// How long a person's tokens go on after his last sign-in where the provider gives no refresh token: 1 hour to 30 days.
    /// Where it gives one but cannot be reached, they go on as long after its last answer.
    /// </summary>
    public TimeSpan TrustWithoutRefresh { get; set; } = TimeSpan.FromHours(12);

    /// <summary>Whether signing out here signs out at the provider too (OpenID Connect RP-Initiated Logout 1.0).</summary>
    public bool Logout { get; set; } = true;
}

/// <summary>Groups that a provider tells.</summary>
public sealed class OidcGroupOptions
{
    /// <summary>The claim with the groups, a path with dots: <c>groups</c>, <c>realm_access.roles</c>; empty: none.</summary>
    public string Claim { get; set; } = "groups";

    /// <summary>Which are taken, by patterns with <c>*</c>; without any: all.</summary>
    public List<string> Only { get; set; } = [];

    /// <summary>Other names for groups: <c>0a1b-…: platform</c>.</summary>
    public Dictionary<string, string> Map { get; set; } = [];

    /// <summary>What stands before the names of groups that are not mapped: <c>corp-</c>.</summary>
    public string Prefix { get; set; } = "";
}
