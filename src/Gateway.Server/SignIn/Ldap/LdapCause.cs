namespace Gateway.Server.SignIn.Ldap;

/// <summary>Why a server of a directory cannot be used.</summary>
/// <param name="Text">The cause and the fix, in sentences.</param>
/// <param name="IsTls">Whether it is TLS: the certificate, or that there is none.</param>
internal readonly record struct LdapCause(string Text, bool IsTls = false);
