using Gateway.Foundation.Configuration;
using Gateway.Server.SignIn.ClientCertificates;
using Gateway.Server.SignIn.Ldap;
using Gateway.Server.SignIn.Oidc;
using Gateway.Server.SignIn.Sessions;
using Gateway.Server.SignIn.Workloads;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>How callers prove who they are; at least one way must be set.</summary>
public sealed class AuthenticationOptions
{
    /// <summary>Users in a file.</summary>
    public HtpasswdOptions? Htpasswd { get; set; }

    /// <summary>Certificates that clients show in the TLS handshake.</summary>
    public ClientCertificateOptions? ClientCertificates { get; set; }

    /// <summary>Users in directories that speak LDAP, each by a name of your choice.</summary>
    public Dictionary<string, LdapOptions> Ldap { get; set; } = [];

    /// <summary>OpenID providers that people sign in with in the browser, each by a name of your choice.</summary>
    public Dictionary<string, OidcOptions> Oidc { get; set; } = [];

    /// <summary>How long people stay signed in in the browser.</summary>
    public BrowserSessionOptions Sessions { get; set; } = new();

    /// <summary>Issuers whose ID tokens CI jobs and other workloads sign in with, each by a name of your choice.</summary>
    public Dictionary<string, WorkloadOptions> Workloads { get; set; } = [];

    /// <summary>
    /// In which order the methods are asked, and whose a name is that several know: <c>htpasswd</c>, <c>ldap:NAME</c>,
    /// <c>oidc:NAME</c>, <c>certificate</c>, which is always the last. What is left out comes after these, as it is written here.
    /// </summary>
    public List<string> Order { get; set; } = [];

    /// <summary>
    /// What to make of a name that two sources know: <c>refuse</c> whoever proves it to the later one, or take both for
    /// the <c>same</c> person, as where they are two doors to one directory.
    /// </summary>
    public NameCollisions Collisions { get; set; } = NameCollisions.Refuse;

    /// <summary>
    /// How callers without credentials are asked for them: <c>bearer</c>, the token exchange that every client knows, or
    /// <c>basic</c> for clients that know nothing else; anonymous pulls with docker then do not work.
    /// </summary>
    public ChallengeScheme Challenge { get; set; } = ChallengeScheme.Bearer;

    /// <summary>How long a password that was verified is accepted without hashing it again: zero to 1 hour.</summary>
    public TimeSpan CacheLifetime { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How many verified credentials are remembered at most: 1 to 1,000,000.</summary>
    public int CacheSize { get; set; } = 10_000;

    /// <summary>
    /// How many passwords are hashed at the same time, up to 256; zero: one for each processor but one, at least one.
    /// </summary>
    public int ConcurrentHashes { get; set; }
}

/// <summary>Users in an htpasswd file: one <c>name:hash</c> a line. Changes are seen within two seconds.</summary>
public sealed class HtpasswdOptions
{
    /// <summary>The file.</summary>
    [RequiredSetting]
    [PathSetting]
    public string File { get; set; } = "";

    /// <summary>The least bcrypt cost accepted: 4 to 14.</summary>
    public int MinimumCost { get; set; } = 8;

    /// <summary>The greatest bcrypt cost accepted, since a single line may otherwise stall sign-in: 8 to 16.</summary>
    public int MaximumCost { get; set; } = 14;

    /// <summary>Whether SHA-crypt lines (<c>$5$</c>, <c>$6$</c>) are accepted, for a migration.</summary>
    public bool AllowShaCrypt { get; set; }

    /// <summary>
    /// How many percent of the users a changed file may lack before it is held back as cut off: 0 to 99; not set, any number.
    /// Those whom <c>gateway user remove</c> took out do not count; <c>gateway user reload --accept</c> takes the file all the
    /// same. A start takes what is there.
    /// </summary>
    public int? MaximumLossPercent { get; set; }
}
