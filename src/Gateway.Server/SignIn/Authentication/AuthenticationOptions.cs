using Gateway.Foundation.Configuration;
using Gateway.Server.SignIn.ClientCertificates;
using Gateway.Server.SignIn.Ldap;
using Gateway.Server.SignIn.Oidc;
using Gateway.Server.SignIn.Sessions;
using Gateway.Server.SignIn.Workloads;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>How callers prove who they are; at least one method must be configured.</summary>
public sealed class AuthenticationOptions
{
    /// <summary>Users in a file.</summary>
    public HtpasswdOptions? Htpasswd { get; set; }

    /// <summary>Certificates that clients present in the TLS handshake.</summary>
    public ClientCertificateOptions? ClientCertificates { get; set; }

    /// <summary>LDAP directories whose users sign in, each under a name of your choice.</summary>
    public Dictionary<string, LdapOptions> Ldap { get; set; } = [];

    /// <summary>
    /// OpenID Connect providers that people sign in with in the browser, each under a name of your choice.
    /// </summary>
    public Dictionary<string, OidcOptions> Oidc { get; set; } = [];

    /// <summary>How long a browser session lasts.</summary>
    public BrowserSessionOptions Sessions { get; set; } = new();

    /// <summary>
    /// Issuers of the ID tokens that CI jobs and other workloads sign in with, each under a name of your choice.
    /// </summary>
    public Dictionary<string, WorkloadOptions> Workloads { get; set; } = [];

    /// <summary>
    /// The order in which the methods are asked; the first that knows a name owns it: <c>htpasswd</c>,
    /// <c>ldap:NAME</c>, <c>oidc:NAME</c>, and <c>certificate</c>, which is always last. Methods that are left out
    /// follow in this sequence.
    /// </summary>
    public List<string> Order { get; set; } = [];

    /// <summary>
    /// What happens when two sources know the same name: <c>refuse</c> anyone who proves it to the later source, or
    /// treat both as the <c>same</c> person, for example where both lead to one directory.
    /// </summary>
    public NameCollisions Collisions { get; set; } = NameCollisions.Refuse;

    /// <summary>
    /// How callers without credentials are asked for them: <c>bearer</c>, the token exchange that every client
    /// supports, or <c>basic</c> for clients that support nothing else; anonymous pulls with docker do not work then.
    /// </summary>
    public ChallengeScheme Challenge { get; set; } = ChallengeScheme.Bearer;

    /// <summary>How long a verified password is accepted without hashing it again: zero to 1 hour.</summary>
    public TimeSpan CacheLifetime { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>The most verified credentials that are cached: 1 to 1,000,000.</summary>
    public int CacheSize { get; set; } = 10_000;

    /// <summary>
    /// How many passwords are hashed at the same time, up to 256; zero: one fewer than there are processors, at least
    /// one.
    /// </summary>
    public int ConcurrentHashes { get; set; }
}

/// <summary>Users in an htpasswd file: one <c>name:hash</c> per line. Changes take effect within two seconds.</summary>
public sealed class HtpasswdOptions
{
    /// <summary>The path of the file.</summary>
    [RequiredSetting]
    [PathSetting]
    public string File { get; set; } = "";

    /// <summary>The lowest bcrypt cost accepted: 4 to 14.</summary>
    public int MinimumCost { get; set; } = 8;

    /// <summary>The highest bcrypt cost accepted, because a single costly line could stall sign-in: 8 to 16.</summary>
    public int MaximumCost { get; set; } = 14;

    /// <summary>Whether SHA-crypt lines (<c>$5$</c>, <c>$6$</c>) are accepted, to allow a migration.</summary>
    public bool AllowShaCrypt { get; set; }

    /// <summary>
    /// How many percent of the users may be missing from a changed file before it is held back as cut off: 0 to 99; not
    /// set, any number. Users removed with <c>gateway user remove</c> do not count; <c>gateway user reload --accept</c>
    /// accepts the file anyway. At the start, the gateway accepts the file as it is.
    /// </summary>
    public int? MaximumLossPercent { get; set; }
}
