namespace Gateway.Server.SignIn.Authentication;

/// <summary>One way to prove an identity by user name and password. Asked in the configured order.</summary>
internal interface ICredentialVerifier
{
    /// <summary>The method's name in records: <c>htpasswd</c>, <c>ldap:corp</c>.</summary>
    string Method { get; }

    /// <summary>Checks a user name and password. Unknown users cost the same work as wrong passwords.</summary>
    /// <param name="credentials">The name without a source before it.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    ValueTask<AuthenticationResult> VerifyAsync(BasicCredentials credentials, CancellationToken cancellationToken);
}
