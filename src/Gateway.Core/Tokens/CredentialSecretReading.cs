namespace Gateway.Core.Tokens;

/// <summary>What <see cref="CredentialSecret.Read"/> made of a text.</summary>
public enum CredentialSecretReading
{
    /// <summary>Another kind of text, such as a password.</summary>
    NotASecret,

    /// <summary>It looks like a secret, but its checksum is wrong: a copying mistake. It was never issued.</summary>
    Mistyped,

    /// <summary>A secret that this program may have issued.</summary>
    Secret,
}
