using Gateway.Server.Store.Keys;

namespace Gateway.Tests.Support;

/// <summary>Real signing keys that a test changes at will.</summary>
internal sealed class TestSigningKeys : ISigningKeys
{
    public TestSigningKeys(SigningAlgorithm algorithm = SigningAlgorithm.ES256) =>
        Current = new SigningKeyRing([Create(algorithm)]);

    public SigningKeyRing Current { get; set; }

    /// <summary>The key that is there from the beginning.</summary>
    public SigningKey Key => Current.Keys[0];

    public static SigningKey Create(SigningAlgorithm algorithm, DateTimeOffset activeFrom = default) =>
        SigningKey.Create(algorithm, createdAt: default, activeFrom);
}
