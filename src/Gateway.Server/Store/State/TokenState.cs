namespace Gateway.Server.Store.State;

/// <summary>Whether a credential is good, for lists and messages.</summary>
internal enum TokenState
{
    /// <summary>It can be used.</summary>
    Active,

    /// <summary>It has expired, or was replaced in a rotation.</summary>
    Expired,

    /// <summary>It was revoked.</summary>
    Revoked,
}

/// <summary>Works out a <see cref="TokenState"/>.</summary>
internal static class TokenStateExtensions
{
    /// <summary>The state at an instant. The instant of expiry itself is no longer part of the lifetime.</summary>
    public static TokenState StateAt(this StoredCredential credential, DateTimeOffset now) =>
        credential.RevokedAt is not null ? TokenState.Revoked
        : now >= credential.ExpiresAt ? TokenState.Expired
        : TokenState.Active;
}
