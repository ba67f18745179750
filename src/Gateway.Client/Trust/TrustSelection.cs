using Gateway.Foundation.Trust;

namespace Gateway.Client.Trust;

/// <summary>The clients to configure.</summary>
/// <param name="Named">Those requested by name.</param>
/// <param name="IsAll">Whether <c>all</c> was requested.</param>
internal sealed record TrustSelection(IReadOnlySet<TrustClient> Named, bool IsAll)
{
    /// <summary>Nothing was requested by name.</summary>
    public static TrustSelection Unsaid { get; } = new(new HashSet<TrustClient>(), IsAll: false);

    /// <summary>Whether a client is configured on this machine.</summary>
    /// <param name="client">The client.</param>
    /// <param name="isInstalled">Whether the machine has it.</param>
    public bool Wants(TrustClient client, bool isInstalled) =>
        Named.Contains(client) || (isInstalled && (IsAll || (Named.Count == 0 && client != TrustClient.System)));

    /// <summary>Whether its instructions are printed.</summary>
    public bool Shows(TrustClient client) => IsAll || Named.Count == 0 || Named.Contains(client);
}
