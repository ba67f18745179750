using Gateway.Foundation.Trust;

namespace Gateway.Client.Trust;

/// <summary>What is to be done on one machine.</summary>
/// <param name="Steps">The files.</param>
/// <param name="Command">What is run after them; <see langword="null"/>: nothing.</param>
/// <param name="ByHand">What a person has to do besides, without which a client that was asked for does not trust.</param>
/// <param name="Notes">What he should know.</param>
internal sealed record TrustPlan(
    IReadOnlyList<TrustStep> Steps, string? Command, IReadOnlyList<TrustPart> ByHand, IReadOnlyList<TrustPart> Notes)
{
    /// <summary>Whether anything is written or run.</summary>
    public bool HasWork => Command is not null || Steps.Any(static step => step.Action != TrustAction.Keep);
}
