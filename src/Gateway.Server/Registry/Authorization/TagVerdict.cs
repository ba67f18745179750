using Gateway.Core.Authorization;

namespace Gateway.Server.Registry.Authorization;

/// <summary>
/// A decision, with what it was asked about and, where a tag is written once only, the hold on that tag.
/// </summary>
/// <param name="decision">The policy's answer.</param>
/// <param name="access">The question it answers; after a denial it names the actions and the tag refused.</param>
/// <param name="reason">What a person needs besides the rule to understand a denial, or <see langword="null"/>.</param>
/// <param name="hold">Released when the request has ended.</param>
internal sealed class TagVerdict(
    AccessDecision decision, AccessRequest access, string? reason = null, IDisposable? hold = null) : IDisposable
{
    public AccessDecision Decision { get; } = decision;

    public AccessRequest Access { get; } = access;

    public string? Reason { get; } = reason;

    /// <summary>Whether a second writer of the tag waits for the end of this request.</summary>
    public bool HoldsTag => hold is not null;

    public void Dispose() => hold?.Dispose();
}
