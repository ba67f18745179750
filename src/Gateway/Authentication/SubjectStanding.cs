using Gateway.Core.Authorization;
using Gateway.State;

namespace Gateway.Authentication;

/// <summary>
/// Whether what a token says of its holder still holds: the subject exists, the password is the one it was issued for,
/// nothing behind it was revoked. Asked on every request, so that an end bites at once and not when the token expires.
/// </summary>
internal sealed class SubjectStanding(IEnumerable<ISubjectSource> sources, IRevocations revocations)
{
    private readonly Dictionary<string, ISubjectSource> _sources = sources.ToDictionary(static source => source.Method);

    private static readonly AuthenticationResult.Undecided NothingKnown =
        new("the store of tokens was not read since the start, so nobody knows what was revoked before");

    /// <summary>
    /// Refused where the principal's credential is no longer good, undecided where that cannot be told;
    /// <see langword="null"/> where it is good.
    /// </summary>
    public AuthenticationResult? FindFault(Principal principal)
    {
        var subject = principal.Subject;
        if (subject.IsAnonymous)
        {
            return null;
        }

        // What is known already stays in force while the store is away; before the first reading nothing is known.
        if ((principal.CredentialId is not null || principal.IssuedAt is not null) && !revocations.HasRead)
        {
            return NothingKnown;
        }

        if (principal.CredentialId is { } id && revocations.IsRevoked(id))
        {
            return new AuthenticationResult.Refused("the credential was revoked", "it was revoked");
        }

        if (principal.IssuedAt is { } issuedAt && revocations.IsRevoked(subject, issuedAt))
        {
            return new AuthenticationResult.Refused("the subject's tokens were revoked", "it was revoked");
        }

        if (subject.Kind == SubjectKind.Robot)
        {
            return principal.CredentialId is null ? new AuthenticationResult.Refused("a robot without a robot token") : null;
        }

        // Unknown means no: a method that is no longer configured vouches for nobody.
        if (!_sources.TryGetValue(subject.Method, out var source) || source.FindEvidence(subject) is not { } evidence)
        {
            return new AuthenticationResult.Refused("the user is gone", "its owner no longer exists");
        }

        return principal.Evidence is { } judged && judged != evidence
            ? new AuthenticationResult.Refused("the password was changed", "the password was changed since")
            : null;
    }
}
