namespace Gateway.Server.Store.State;

/// <summary>Whether a credential is good, for lists and messages.</summary>
internal enum TokenState
{
    /// <summary>It can be used.</summary>
    Active,

    /// <summary>Its life is over, by itself or after a rotation.</summary>
    Expired,

    /// <summary>Somebody ended it.</summary>
    Revoked,
}

/// <summary>Works out a <see cref="TokenState"/>.</summary>
internal static class TokenStateExtensions
{
    /// <summary>The state at an instant. The end itself is no longer part of the life.</summary>
    public static TokenState StateAt(this StoredCredential credential, DateTimeOffset now) =>
        credential.RevokedAt is not null ? TokenState.Revoked
        : now >= credential.ExpiresAt ? TokenState.Expired
        : TokenState.Active;
}
