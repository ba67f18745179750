using System.Security.Cryptography;
using Gateway.Keys;

namespace Gateway.Tests.Support;

/// <summary>Real signing keys that a test changes at will.</summary>
internal sealed class TestSigningKeys : ISigningKeys
{
    public TestSigningKeys(SigningAlgorithm algorithm = SigningAlgorithm.ES256) =>
        Current = new SigningKeyRing([Create(algorithm)]);

    public SigningKeyRing Current { get; set; }

    /// <summary>The key that signs.</summary>
    public SigningKey Key => Current.Keys[^1];

    public static SigningKey Create(SigningAlgorithm algorithm, DateTimeOffset activeFrom = default) => new(
        algorithm == SigningAlgorithm.ES256 ? ECDsa.Create(ECCurve.NamedCurves.nistP256) : RSA.Create(2048), activeFrom);
}
