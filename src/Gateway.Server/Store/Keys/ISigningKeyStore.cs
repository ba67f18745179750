using Gateway.Foundation.Configuration;
using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Store.Keys;

/// <summary>Where replicas find the same signing keys.</summary>
internal interface ISigningKeyStore
{
    /// <summary>Reads every key, of whatever algorithm.</summary>
    /// <exception cref="ProblemException">A key cannot be used.</exception>
    /// <exception cref="StateException">The store cannot be reached.</exception>
    Task<IReadOnlyList<SigningKey>> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Reads the keys and changes them; no other process changes them in between.</summary>
    /// <param name="decide">Decides from the keys there are; may be asked again where others were quicker.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>What was changed, and is durable.</returns>
    /// <exception cref="ProblemException">A key cannot be used, or the store cannot be written.</exception>
    /// <exception cref="StateException">The store cannot be reached.</exception>
    Task<KeyChange> ChangeAsync(
        Func<IReadOnlyList<SigningKey>, KeyChange> decide, CancellationToken cancellationToken);
}

/// <summary>A change of the keys.</summary>
/// <param name="Added">A new key, or none.</param>
/// <param name="Removed">Keys whose signatures are not accepted any more.</param>
internal sealed record KeyChange(SigningKey? Added, IReadOnlyList<SigningKey> Removed)
{
    /// <summary>Everything stays as it is.</summary>
    public static readonly KeyChange None = new(null, []);

    /// <summary>Whether nothing is changed.</summary>
    public bool IsNone => Added is null && Removed.Count == 0;
}
