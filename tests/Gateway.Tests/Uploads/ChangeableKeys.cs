using System.Security.Cryptography;
using Gateway.Keys;

namespace Gateway.Tests.Uploads;

/// <summary>Signing keys that a test rotates and retires.</summary>
internal sealed class ChangeableKeys(params SigningKey[] keys) : ISigningKeys
{
    public SigningKeyRing Current { get; private set; } = new(keys);

    public static SigningKey NewKey(DateTimeOffset activeFrom = default) =>
        new(ECDsa.Create(ECCurve.NamedCurves.nistP256), activeFrom);

    public void Change(params SigningKey[] keys) => Current = new SigningKeyRing(keys);
}
