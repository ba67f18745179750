using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Store.Keys;

/// <summary>The signing keys in force: one immutable value, replaced whole.</summary>
internal sealed class SigningKeyRing
{
    /// <summary>Puts keys in force.</summary>
    /// <param name="keys">All of the configured algorithm; at least one.</param>
    public SigningKeyRing(IEnumerable<SigningKey> keys)
    {
        Keys = [.. InOrder(keys)];
        JwkSet = JsonWebKeySet.Write(Keys);
    }

    /// <summary>Every key that verifies, by the time from which it signs: the latest last.</summary>
    public IReadOnlyList<SigningKey> Keys { get; }

    /// <summary>The public keys as a JWK Set, in UTF-8.</summary>
    public ReadOnlyMemory<byte> JwkSet { get; }

    /// <summary>
    /// The key to sign with: the latest that is active. Every replica has learned of it by then. Where none is active
    /// yet, the first: there is no other to wait for it.
    /// </summary>
    public SigningKey ActiveAt(DateTimeOffset now) => ActiveAt(Keys, now);

    /// <summary>The key with an id, or <see langword="null"/>.</summary>
    public SigningKey? Find(string id)
    {
        for (var i = 0; i < Keys.Count; i++) // asked for every request; an enumerator would be allocated
        {
            if (Keys[i].Id == id)
            {
                return Keys[i];
            }
        }

        return null;
    }

    /// <summary>The same for keys in a ring's order.</summary>
    public static SigningKey ActiveAt(IReadOnlyList<SigningKey> keys, DateTimeOffset now)
    {
        for (var i = keys.Count - 1; i > 0; i--)
        {
            if (keys[i].ActiveFrom <= now)
            {
                return keys[i];
            }
        }

        return keys[0];
    }

    /// <summary>The order of a ring; the same for every replica, also where two keys begin at once.</summary>
    public static IEnumerable<SigningKey> InOrder(IEnumerable<SigningKey> keys) =>
        keys.OrderBy(static key => key.ActiveFrom).ThenBy(static key => key.Id, StringComparer.Ordinal);
}

/// <summary>The signing keys in force now. A request reads them once.</summary>
internal interface ISigningKeys
{
    /// <summary>The keys in force.</summary>
    /// <exception cref="StateException">
    /// Keys are kept in Redis, which has not answered since the start: no token can be issued or judged.
    /// </exception>
    SigningKeyRing Current { get; }
}
