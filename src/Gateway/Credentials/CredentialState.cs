using Gateway.State;

namespace Gateway.Credentials;

/// <summary>Whether a credential is good, for lists and messages.</summary>
internal enum CredentialState
{
    /// <summary>It can be used.</summary>
    Active,

    /// <summary>Its life is over, by itself or after a rotation.</summary>
    Expired,

    /// <summary>Somebody ended it.</summary>
    Revoked,
}

/// <summary>Works out a <see cref="CredentialState"/>.</summary>
internal static class CredentialStateExtensions
{
    /// <summary>The state at an instant. The end itself is no longer part of the life.</summary>
    public static CredentialState StateAt(this StoredCredential credential, DateTimeOffset now) =>
        credential.RevokedAt is not null ? CredentialState.Revoked
        : now >= credential.ExpiresAt ? CredentialState.Expired
        : CredentialState.Active;
}
