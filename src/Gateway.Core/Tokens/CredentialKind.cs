namespace Gateway.Core.Tokens;

/// <summary>Kinds of credentials that the gateway issues and keeps.</summary>
public enum CredentialKind
{
    /// <summary>A person's, instead of the password.</summary>
    Personal,

    /// <summary>A robot's.</summary>
    Robot,

    /// <summary>What <c>docker login</c> stores instead of the password; good at the token endpoint only.</summary>
    Refresh,

    /// <summary>
    /// A job's: what came of its ID token, kept under that token's hash or under a secret of its own.
    /// </summary>
    Workload,

    /// <summary>A person's session in a browser, good for the pages of this gateway only.</summary>
    Session,

    /// <summary>
    /// A person's authorization of a device to sign in as them, kept under the hash of the device's code for minutes.
    /// </summary>
    Device,
}
