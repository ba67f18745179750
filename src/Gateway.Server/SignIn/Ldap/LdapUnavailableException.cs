namespace Gateway.Server.SignIn.Ldap;

/// <summary>A directory could not be asked, or answered that it cannot say.</summary>
/// <param name="message">What is wrong and what helps, as sentences; never a secret.</param>
/// <param name="fault">Whose fault it is.</param>
/// <param name="inner">The cause.</param>
internal sealed class LdapUnavailableException(string message, LdapFault fault, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>Whether the fault is this server's, so that another one may be asked.</summary>
    public bool IsServers => Fault == LdapFault.Server;

    /// <summary>Whose fault it is.</summary>
    public LdapFault Fault { get; } = fault;
}
