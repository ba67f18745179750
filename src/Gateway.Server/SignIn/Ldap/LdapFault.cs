namespace Gateway.Server.SignIn.Ldap;

/// <summary>Whose fault it is that a directory could not be asked.</summary>
internal enum LdapFault
{
    /// <summary>The server cannot be reached or does not answer; another one may.</summary>
    Server,

    /// <summary>The server refuses the password of the account that looks up users.</summary>
    Account,

    /// <summary>The settings of users do not fit what is in the directory.</summary>
    Users,

    /// <summary>The settings of groups do not fit what is in the directory.</summary>
    Groups,
}
