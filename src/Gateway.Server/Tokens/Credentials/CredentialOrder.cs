using Gateway.Core.Authorization;
using Gateway.Server.SignIn.Authentication;

namespace Gateway.Server.Tokens.Credentials;

/// <summary>A personal or robot token that somebody wants made.</summary>
internal sealed record CredentialOrder
{
    /// <summary>Whose it is to be. A robot gets a robot token, a person a personal one.</summary>
    public required Subject Owner { get; init; }

    /// <summary>What it is bound to; see <see cref="SubjectStanding.FindLastingEvidenceAsync"/>.</summary>
    public string? Evidence { get; init; }

    /// <summary>What its maker calls it.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// What it may do at most; <see langword="null"/> for everything that its owner may: for people only, and only
    /// where the maker said so.
    /// </summary>
    public required CredentialLimit? Limit { get; init; }

    /// <summary>Its life; <see langword="null"/> for the usual one.</summary>
    public TimeSpan? Lifetime { get; init; }

    /// <summary>Who makes it: <c>user:alice</c>, <c>operator</c>.</summary>
    public required string CreatedBy { get; init; }

    /// <summary>The request that asks for it; <see langword="null"/> for a command.</summary>
    public string? RequestId { get; init; }
}
