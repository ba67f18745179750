using Gateway.Foundation.Trust;

namespace Gateway.Client.Trust;

/// <summary>What to do on one machine.</summary>
/// <param name="Steps">The files.</param>
/// <param name="Command">The command to run after them, or <see langword="null"/>.</param>
/// <param name="ByHand">What a person must do as well, so that the requested clients trust the authority.</param>
/// <param name="Notes">What the person should know.</param>
internal sealed record TrustPlan(
    IReadOnlyList<TrustStep> Steps, string? Command, IReadOnlyList<TrustPart> ByHand, IReadOnlyList<TrustPart> Notes)
{
    /// <summary>Whether anything is written or run.</summary>
    public bool HasWork => Command is not null || Steps.Any(static step => step.Action != TrustAction.Keep);
}
