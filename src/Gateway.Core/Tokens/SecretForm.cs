namespace Gateway.Core.Tokens;

/// <summary>What a secret is by its form.</summary>
public enum SecretForm
{
    /// <summary>Nothing of the gateway's own: a password, or an access token.</summary>
    Other,

    /// <summary>A personal, robot or workload token, whole.</summary>
    Token,

    /// <summary>A refresh token, whole.</summary>
    RefreshToken,

    /// <summary>The secret of a browser's session, whole.</summary>
    Session,

    /// <summary>One of the gateway's own with a checksum that does not fit.</summary>
    Mistyped,

    /// <summary>A device's code; whether it is signed here is not looked at.</summary>
    DeviceCode,

    /// <summary>A signed JWT, so an ID token of an outside issuer; only of what is in a password's place.</summary>
    IdToken,
}
