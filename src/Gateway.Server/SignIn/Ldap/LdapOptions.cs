using Gateway.Foundation.Configuration;
using Gateway.Server.SignIn.Authentication;

namespace Gateway.Server.SignIn.Ldap;

/// <summary>Users in an LDAP directory: OpenLDAP, Active Directory, FreeIPA, 389 Directory Server.</summary>
public sealed class LdapOptions
{
    /// <summary>
    /// Its servers, <c>ldaps://host</c> or <c>ldap://host</c>, each with a port unless it is 636 or 389. The gateway
    /// asks the first; while that is unavailable, the next.
    /// </summary>
    [RequiredSetting]
    public List<Uri> Servers { get; set; } = [];

    /// <summary>Whether <c>ldap://</c> connections switch to TLS before anything else is sent (StartTLS).</summary>
    public bool StartTls { get; set; } = true;

    /// <summary>
    /// Whether passwords may be sent unencrypted while <c>startTls</c> is off. Anyone on the network path can then read
    /// them.
    /// </summary>
    public bool AllowPlain { get; set; }

    /// <summary>PEM file of the authorities to trust instead of the system's. Read at the start.</summary>
    [PathSetting]
    public string? CertificateAuthority { get; set; }

    /// <summary>The account that looks up users. It needs to read users and groups, nothing else.</summary>
    public string? BindDn { get; set; }

    /// <summary>The password of that account.</summary>
    [SecretSetting]
    public string? BindPassword { get; set; }

    /// <summary>
    /// The distinguished name of a user, with <c>{name}</c> for the name they typed, where no account looks up
    /// users: <c>uid={name},ou=people,dc=example,dc=com</c>. Such users cannot have personal tokens.
    /// </summary>
    public string? UserDn { get; set; }

    /// <summary>The entry below which users are searched: <c>ou=people,dc=example,dc=com</c>.</summary>
    public string? SearchBase { get; set; }

    /// <summary>
    /// The filter that finds a user, with <c>{name}</c> for the name they typed. It must match at most one entry.
    /// Exclude users who must not sign in: <c>(&amp;(objectClass=person)(uid={name})(!(pwdAccountLockedTime=*)))</c>.
    /// </summary>
    public string UserFilter { get; set; } = "(&(objectClass=person)(uid={name}))";

    /// <summary>
    /// The attribute that holds the user's name in policies and records. Active Directory: <c>sAMAccountName</c>.
    /// </summary>
    public string NameAttribute { get; set; } = "uid";

    /// <summary>The groups of users.</summary>
    public LdapGroupOptions Groups { get; set; } = new();

    /// <summary>Attributes that policies see as claims: <c>department: departmentNumber</c>.</summary>
    public Dictionary<string, string> Claims { get; set; } = [];

    /// <summary>
    /// Whether users are called <c>alice</c> or, with this directory's name as source, <c>corp/alice</c>, so that their
    /// names never collide with others.
    /// </summary>
    public NameForm Names { get; set; } = NameForm.Plain;

    /// <summary>The longest wait for a server: 1 to 30 seconds.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>The most connections to each server at the same time: 1 to 64.</summary>
    public int Connections { get; set; } = 8;

    /// <summary>
    /// How long the directory's answers are used before it is asked again: groups, and whether a user exists. Zero to 1
    /// hour.
    /// </summary>
    public TimeSpan CacheLifetime { get; set; } = TimeSpan.FromMinutes(5);
}

/// <summary>How the groups of a user are found.</summary>
public sealed class LdapGroupOptions
{
    /// <summary>
    /// The attribute of users (and groups) that names their groups. Empty: groups are searched below <c>base</c>.
    /// </summary>
    public string Attribute { get; set; } = "memberOf";

    /// <summary>The entry below which groups are searched, where no attribute names them.</summary>
    public string? Base { get; set; }

    /// <summary>
    /// The filter that finds the groups of a user or group: <c>{dn}</c> is its distinguished name, <c>{name}</c> the
    /// user's name.
    /// </summary>
    public string Filter { get; set; } = "(member={dn})";

    /// <summary>The attribute that holds a group's name.</summary>
    public string NameAttribute { get; set; } = "cn";

    /// <summary>Whether groups of groups count.</summary>
    public bool Nested { get; set; } = true;

    /// <summary>
    /// Only groups that match one of these patterns, in which <c>*</c> matches any text. Not set: all.
    /// </summary>
    public List<string> Only { get; set; } = [];

    /// <summary>Other names for groups in the gateway: <c>Registry Admins: admins</c>.</summary>
    public Dictionary<string, string> Map { get; set; } = [];

    /// <summary>
    /// A prefix for the name of every group, so that this directory's <c>admins</c> are not another source's.
    /// </summary>
    public string Prefix { get; set; } = "";
}
