using Gateway.Foundation.Configuration;

namespace Gateway.Server.Store.Keys;

/// <summary>Where signing keys are stored, and when new ones are created.</summary>
public sealed class SigningKeyOptions
{
    /// <summary>
    /// Where signing keys are stored, for all replicas alike: <c>folder</c>, or <c>redis</c>, encrypted with a
    /// password.
    /// </summary>
    public SigningKeyStoreKind Store { get; set; } = SigningKeyStoreKind.Folder;

    /// <summary>The folder of the keys; by default <c>keys</c> in the state folder. Replicas may share it.</summary>
    [PathSetting]
    public string? Folder { get; set; }

    /// <summary>
    /// The password that encrypts keys in Redis; required there, since Redis must not hold an unencrypted private key.
    /// </summary>
    [SecretSetting]
    public string? Password { get; set; }

    /// <summary>
    /// Age at which a new key takes over automatically: 1 day to 3650 days; zero: only with <c>gateway keys rotate</c>.
    /// </summary>
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
