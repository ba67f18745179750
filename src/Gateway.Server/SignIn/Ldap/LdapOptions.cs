using Gateway.Foundation.Configuration;
using Gateway.Server.SignIn.Authentication;

namespace Gateway.Server.SignIn.Ldap;

/// <summary>Users in a directory that speaks LDAP: OpenLDAP, Active Directory, FreeIPA, 389 Directory Server.</summary>
public sealed class LdapOptions
{
    /// <summary>
    /// Its servers, <c>ldaps://host</c> or <c>ldap://host</c>, each with a port if it is another than 636 and 389. The first is
    /// asked; where it is away, the next.
    /// </summary>
    [RequiredSetting]
    public List<Uri> Servers { get; set; } = [];

    /// <summary>Whether connections to <c>ldap://</c> become TLS before anything else is sent (StartTLS).</summary>
    public bool StartTls { get; set; } = true;

    /// <summary>
    /// Whether passwords may be sent unencrypted, where <c>startTls</c> is off. Whoever is on the way then reads them.
    /// </summary>
    public bool AllowPlain { get; set; }

    /// <summary>PEM file of the authorities to trust, instead of the system's. Read at the start.</summary>
    [PathSetting]
    public string? CertificateAuthority { get; set; }

    /// <summary>The account that looks users up. It needs to read users and groups, nothing else.</summary>
    public string? BindDn { get; set; }

    /// <summary>Its password.</summary>
    [SecretSetting]
    public string? BindPassword { get; set; }

    /// <summary>
    /// The distinguished name of a user, <c>{name}</c> standing for what he typed, where there is no account that looks users
    /// up: <c>uid={name},ou=people,dc=example,dc=com</c>. Such users have no personal tokens.
    /// </summary>
    public string? UserDn { get; set; }

    /// <summary>Below what users are looked for: <c>ou=people,dc=example,dc=com</c>.</summary>
    public string? SearchBase { get; set; }

    /// <summary>
    /// Which entry is the user, <c>{name}</c> standing for what he typed. It must fit one entry at most. Leave out here who may
    /// not sign in: <c>(&amp;(objectClass=person)(uid={name})(!(pwdAccountLockedTime=*)))</c>.
    /// </summary>
    public string UserFilter { get; set; } = "(&(objectClass=person)(uid={name}))";

    /// <summary>The attribute that is the user's name, as policies and records have it. Active Directory: <c>sAMAccountName</c>.</summary>
    public string NameAttribute { get; set; } = "uid";

    /// <summary>The groups that users are in.</summary>
    public LdapGroupOptions Groups { get; set; } = new();

    /// <summary>Attributes that policies see as claims: <c>department: departmentNumber</c>.</summary>
    public Dictionary<string, string> Claims { get; set; } = [];

    /// <summary>
    /// Whether users are called <c>alice</c> or, after this directory's name, <c>corp/alice</c>, so that they meet no others.
    /// </summary>
    public NameForm Names { get; set; } = NameForm.Plain;

    /// <summary>Longest wait for a server: 1 to 30 seconds.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>Connections to each server at the same time: 1 to 64.</summary>
    public int Connections { get; set; } = 8;

    /// <summary>
    /// How long what the directory said is good for without asking again: groups, and that a user is or is not there. Zero to 1
    /// hour.
    /// </summary>
    public TimeSpan CacheLifetime { get; set; } = TimeSpan.FromMinutes(5);
}

/// <summary>How the groups of a user are found.</summary>
public sealed class LdapGroupOptions
{
    /// <summary>The attribute of users (and groups) that names their groups. Empty: groups are looked for by <c>base</c>.</summary>
    public string Attribute { get; set; } = "memberOf";

    /// <summary>Below what groups are looked for, where no attribute names them.</summary>
    public string? Base { get; set; }

    /// <summary>Which groups a user, or a group, is in: <c>{dn}</c> stands for its distinguished name, <c>{name}</c> for the user's name.</summary>
    public string Filter { get; set; } = "(member={dn})";

    /// <summary>The attribute that is a group's name.</summary>
    public string NameAttribute { get; set; } = "cn";

    /// <summary>Whether groups of groups count.</summary>
    public bool Nested { get; set; } = true;

    /// <summary>Only these, by pattern, <c>*</c> standing for anything. All, unless set.</summary>
    public List<string> Only { get; set; } = [];

    /// <summary>Other names for groups here: <c>Registry Admins: admins</c>.</summary>
    public Dictionary<string, string> Map { get; set; } = [];

    /// <summary>What every group's name begins with here, so that a directory's <c>admins</c> are not another's.</summary>
    public string Prefix { get; set; } = "";
}
