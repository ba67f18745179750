namespace Gateway.Server.SignIn.Ldap;

/// <summary>A directory could not be asked, or answered that it cannot say.</summary>
/// <param name="message">What is wrong and what helps, as sentences; never a secret.</param>
/// <param name="isServers">Whether another server of the directory may answer.</param>
/// <param name="inner">The cause.</param>
internal sealed class LdapUnavailableException(string message, bool isServers, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>Whether the fault is this server's, so that another one may be asked.</summary>
    public bool IsServers { get; } = isServers;
}
