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

    /// <summary>Why the principal's credential is no longer good; <see langword="null"/> where it is.</summary>
    public AuthenticationResult.Refused? FindFault(Principal principal)
    {
        var subject = principal.Subject;
        if (subject.IsAnonymous)
        {
            return null;
        }

        if (principal.CredentialId is { } id && revocations.IsRevoked(id))
        {
            return new("the credential was revoked", "it was revoked");
        }

        if (principal.IssuedAt is { } issuedAt && revocations.IsRevoked(subject, issuedAt))
        {
            return new("the subject's tokens were revoked", "it was revoked");
        }

        if (subject.Kind == SubjectKind.Robot)
        {
            return principal.CredentialId is null ? new("a robot without a robot token") : null;
        }

        // Unknown means no: a method that is no longer configured vouches for nobody.
        if (!_sources.TryGetValue(subject.Method, out var source) || source.FindEvidence(subject) is not { } evidence)
        {
            return new("the user is gone", "its owner no longer exists");
        }

        return principal.Evidence is { } judged && judged != evidence
            ? new("the password was changed", "the password was changed since")
            : null;
    }
}
