using Gateway.Foundation.Configuration;

namespace Gateway.Server.Store.Keys;

/// <summary>Where the signing keys are, and when new ones are made.</summary>
public sealed class SigningKeyOptions
{
    /// <summary>Where replicas find the same keys: <c>folder</c>, or <c>redis</c>, sealed with a password.</summary>
    public SigningKeyStoreKind Store { get; set; } = SigningKeyStoreKind.Folder;

    /// <summary>The folder with the keys; <c>keys</c> in the state folder unless set. Replicas may share it.</summary>
    [PathSetting]
    public string? Folder { get; set; }

    /// <summary>What keys in Redis are encrypted with; needed there, since Redis is no place for a bare private key.</summary>
    [SecretSetting]
    public string? Password { get; set; }

    /// <summary>Age at which a new key takes over by itself: 1 day to 3650 days; zero: only by <c>gateway keys rotate</c>.</summary>
    public TimeSpan RotateAfter { get; set; }
}

/// <summary>Where signing keys are kept.</summary>
public enum SigningKeyStoreKind
{
    /// <summary>Files in a folder.</summary>
    Folder,

    /// <summary>Redis, shared by all replicas.</summary>
    Redis,
}
