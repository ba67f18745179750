using Gateway.Foundation.Configuration;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.SignIn.Issuers;

namespace Gateway.Server.SignIn.Oidc;

/// <summary>
/// An OpenID Connect provider that people sign in with in the browser: Keycloak, Entra ID, Okta, Google, Dex, GitLab.
/// Its redirect URI is <c>https://HOST/sign-in/NAME/callback</c>.
/// </summary>
public sealed class OidcOptions : IssuerOptions
{
    /// <summary>The text of its button on the sign-in page; its name in the configuration unless set.</summary>
    public string? Title { get; set; }

    /// <summary>The gateway's client id at the provider.</summary>
    [RequiredSetting]
    public string ClientId { get; set; } = "";

    /// <summary>The gateway's client secret at the provider.</summary>
    [RequiredSetting]
    [SecretSetting]
    public string? ClientSecret { get; set; }

    /// <summary>
    /// The scopes to request. With <c>offline_access</c> the provider issues a refresh token, which tells the gateway
    /// when a person is disabled; without one, see <c>trustWithoutRefresh</c>.
    /// </summary>
    public List<string> Scopes { get; set; } = ["openid", "profile", "email", "offline_access"];

    /// <summary>
    /// Further parameters of the request that starts a sign-in: <c>access_type: offline</c> for Google. <c>prompt</c>
    /// is <c>consent</c> where <c>offline_access</c> is requested, unless it is set here; an empty value leaves it out.
    /// </summary>
    public Dictionary<string, string> Parameters { get; set; } = [];

    /// <summary>
    /// The claim that holds the user name, a path with dots: <c>preferred_username</c>, <c>email</c> (which must be
    /// verified). The provider must not let people choose it freely.
    /// </summary>
    public string NameClaim { get; set; } = "preferred_username";

    /// <summary>
    /// How users are named: <c>plain</c>, or <c>qualified</c> by the provider's name, such as <c>corp/alice</c>. With
    /// <c>collisions: refuse</c>, plain only where no other source of plain names follows in the <c>order</c>.
    /// </summary>
    public NameForm Names { get; set; } = NameForm.Plain;

    /// <summary>Where groups come from, and their names in the gateway.</summary>
    public OidcGroupOptions Groups { get; set; } = new();

    /// <summary>
    /// The group, by its name in the gateway, whose members are administrators like those of
    /// <c>tokens.administrators</c>.
    /// </summary>
    public string? AdminGroup { get; set; }

    /// <summary>
    /// Claims that a person must have to sign in, each with what it must match, in which <c>*</c> matches any text:
    /// <c>hd: example.com</c>.
    /// </summary>
    public Dictionary<string, string> Require { get; set; } = [];

    /// <summary>
    /// Claims that policies see, each under its name in policies, with its path: <c>department: org.unit</c>.
    /// </summary>
    public Dictionary<string, string> Claims { get; set; } = [];

    /// <summary>
    /// How long the provider's answer about a person is used before it is asked again, when one of their tokens is
    /// used: 10 seconds to 24 hours. A person who was disabled there is refused here after this time.
    /// </summary>
    public TimeSpan RevalidateEvery { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>
    /// How long a person's tokens work after their last sign-in where the provider issues no refresh token: 1 hour to
    /// 30 days. Where it issues one but cannot be reached, they work for as long after its last answer.
    /// </summary>
    public TimeSpan TrustWithoutRefresh { get; set; } = TimeSpan.FromHours(12);

    /// <summary>
    /// Whether signing out here also signs out at the provider (OpenID Connect RP-Initiated Logout 1.0).
    /// </summary>
    public bool Logout { get; set; } = true;
}

/// <summary>The groups that a provider sends.</summary>
public sealed class OidcGroupOptions
{
    /// <summary>
    /// The claim with the groups, a path with dots: <c>groups</c>, <c>realm_access.roles</c>; empty: none.
    /// </summary>
    public string Claim { get; set; } = "groups";

    /// <summary>The groups that are used, by patterns with <c>*</c>; without any: all.</summary>
    public List<string> Only { get; set; } = [];

    /// <summary>Other names for groups: <c>0a1b-…: platform</c>.</summary>
    public Dictionary<string, string> Map { get; set; } = [];

    /// <summary>A prefix for the names of groups that are not mapped: <c>corp-</c>.</summary>
    public string Prefix { get; set; } = "";
}
