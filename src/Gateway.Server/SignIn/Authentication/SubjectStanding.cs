using System.Globalization;
using Gateway.Core.Authorization;
using Gateway.Server.Store.State;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>
/// Whether what a token says of its holder still holds: the subject exists, the password is the one it was issued for,
/// nothing behind it was revoked, and no operator blocked it. Asked on every request, so that a change takes effect at
/// once
/// and not when the token expires.
/// </summary>
internal sealed class SubjectStanding(IEnumerable<ISubjectSource> sources, IRevocations revocations)
{
    private readonly Dictionary<string, ISubjectSource> _sources = sources.ToDictionary(static source => source.Method);

    /// <summary>What a method says where a token was issued for a password that has changed since.</summary>
    public static readonly AuthenticationResult.Refused PasswordChanged =
        new("the password was changed", "the password was changed since");

    /// <summary>The answer where the name now belongs to another account.</summary>
    public static readonly AuthenticationResult.Refused AnotherAccount =
        new("the name now belongs to another account", "its owner's name now belongs to another account");

    /// <summary>The answer for a token whose owner is gone.</summary>
    public static readonly AuthenticationResult.Refused UserGone = new(
        "the user is gone", "its owner no longer exists");

    private static readonly AuthenticationResult.Undecided NobodyKnown = new(
        "the store of tokens has not been read since the start, and this machine has no record of it, so the gateway "
        + "does not know who is blocked");

    private static readonly AuthenticationResult.Undecided NothingKnown =
        new(
            "the store of tokens has not been read since the start, so the gateway does not "
            + "know what was revoked before");

    /// <summary>
    /// Refused where the principal's credential is no longer good, undecided where that cannot be decided;
    /// <see langword="null"/> where it is good.
    /// </summary>
    public AuthenticationResult? FindFault(Principal principal)
    {
        var subject = principal.Subject;
        if (subject.IsAnonymous)
        {
            return null;
        }

        if (FindBlock(subject) is { } blocked)
        {
            return blocked;
        }

        // What is already known stays in force while the store is unavailable; before the first reading nothing is
        // known.
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
            return principal.CredentialId is null
                ? new AuthenticationResult.Refused("a robot without a robot token")
                : null;
        }

        return Find(subject) is { } source ? source.FindFault(subject, principal.Evidence) : UserGone;
    }

    /// <summary>
    /// Refused where an operator blocked a subject, undecided where that cannot be decided; otherwise
    /// <see langword="null"/>. Asked about the holder of any credentials after these were found to be good: no one else
    /// learns of it.
    /// </summary>
    public AuthenticationResult? FindBlock(Subject subject)
    {
        if (revocations.FindBlock(subject) is not { } block)
        {
            return revocations.KnowsBlocks || subject.IsAnonymous ? null : NobodyKnown;
        }

        var until = block.Until is { } end
            ? string.Create(CultureInfo.InvariantCulture, $" until {end.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC")
            : "";
        return new AuthenticationResult.Refused(
            $"{block.Subject} is blocked", $"{block.Subject} is blocked by the operator of this registry{until}");
    }

    /// <summary>
    /// The principal with what holds of its subject now; or what keeps it from being good. For credentials that last
    /// longer than an access token, since it may have to ask the method's own server.
    /// </summary>
    /// <param name="accepted">What the credential itself says.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async ValueTask<AuthenticationResult> ResolveAsync(
        AuthenticationResult.Accepted accepted, CancellationToken cancellationToken)
    {
        var principal = accepted.Principal;
        var subject = principal.Subject;
        if (FindFault(principal) is { } fault)
        {
            return fault;
        }

        if (subject.Kind is SubjectKind.Anonymous or SubjectKind.Robot or SubjectKind.Workload)
        {
            return accepted; // their groups and claims are those that the credential was made with
        }

        return await Find(subject)!.ResolveAsync(subject.Name, cancellationToken) switch
        {
            SubjectState.Gone gone => new AuthenticationResult.Refused(gone.Reason, gone.Message),
            SubjectState.Undecided undecided => new AuthenticationResult.Undecided(undecided.Reason),
            SubjectState.Current current when principal.Evidence is { } judged && judged != current.Evidence =>
                Find(subject)!.BindsEveryCredential ? AnotherAccount : PasswordChanged,
            SubjectState.Current current when ReferenceEquals(current.Subject, subject) => accepted,
            SubjectState.Current current =>
                new AuthenticationResult.Accepted(principal with { Subject = current.Subject }),
            _ => UserGone,
        };
    }

    /// <summary>
    /// What a new credential of a subject is bound to; <see langword="null"/> where nothing is, or where it is not
    /// known.
    /// </summary>
    public async ValueTask<string?> FindEvidenceAsync(Subject subject, CancellationToken cancellationToken) =>
        Find(subject) is { } source
        && await source.ResolveAsync(subject.Name, cancellationToken) is SubjectState.Current current
            ? current.Evidence
            : null;

    /// <summary>
    /// What a credential is bound to that a new password does not end; <see langword="null"/> where the name alone says
    /// whose it is.
    /// </summary>
    public ValueTask<string?> FindLastingEvidenceAsync(Subject subject, CancellationToken cancellationToken) =>
        Find(subject) is { BindsEveryCredential: true }
            ? FindEvidenceAsync(subject, cancellationToken)
            : ValueTask.FromResult<string?>(null);

    // Unknown means no: a method that is no longer configured accepts no one.
    private ISubjectSource? Find(Subject subject) => _sources.GetValueOrDefault(subject.Method);
}
