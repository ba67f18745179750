using Gateway.Core.Authorization;
using Gateway.Server.SignIn.Authentication;

namespace Gateway.Server.Tokens.Credentials;

/// <summary>An order for a personal or robot token.</summary>
internal sealed record CredentialOrder
{
    /// <summary>Its owner. A robot gets a robot token, a person a personal one.</summary>
    public required Subject Owner { get; init; }

    /// <summary>What it is bound to; see <see cref="SubjectStanding.FindLastingEvidenceAsync"/>.</summary>
    public string? Evidence { get; init; }

    /// <summary>The name that its creator gives it.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// The most that it may do; <see langword="null"/> for everything that its owner may: for people only, and only
    /// where the creator said so.
    /// </summary>
    public required CredentialLimit? Limit { get; init; }

    /// <summary>Its lifetime; <see langword="null"/> for the default.</summary>
    public TimeSpan? Lifetime { get; init; }

    /// <summary>Who creates it: <c>user:alice</c>, <c>operator</c>.</summary>
    public required string CreatedBy { get; init; }

    /// <summary>The request that asks for it; <see langword="null"/> for a command.</summary>
    public string? RequestId { get; init; }
}
