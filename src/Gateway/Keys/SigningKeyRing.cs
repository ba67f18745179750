namespace Gateway.Keys;

/// <summary>The signing keys in force: one immutable value, replaced whole.</summary>
internal sealed class SigningKeyRing
{
    /// <summary>Puts keys in force.</summary>
    /// <param name="keys">All of the configured algorithm; at least one.</param>
    public SigningKeyRing(IEnumerable<SigningKey> keys) => Keys = [.. keys.OrderBy(static key => key.ActiveFrom)];

    /// <summary>Every key that verifies, the one to sign with last first.</summary>
    public IReadOnlyList<SigningKey> Keys { get; }

    /// <summary>The key to sign with: the newest that is active. Every replica has learned of it by then.</summary>
    public SigningKey ActiveAt(DateTimeOffset now) => Keys.LastOrDefault(key => key.ActiveFrom <= now) ?? Keys[0];

    /// <summary>The key with an id, or <see langword="null"/>.</summary>
    public SigningKey? Find(string id)
    {
        foreach (var key in Keys)
        {
            if (key.Id == id)
            {
                return key;
            }
        }

        return null;
    }
}

/// <summary>The signing keys in force now. A request reads them once.</summary>
internal interface ISigningKeys
{
    /// <summary>The keys in force.</summary>
    SigningKeyRing Current { get; }
}
