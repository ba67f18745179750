using Gateway.Core.Authorization;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>A method of authentication that can say later whether a subject it accepted still exists.</summary>
internal interface ISubjectSource
{
    /// <summary>
    /// Whether even what outlives a password, a personal token, is bound to
    /// <see cref="SubjectState.Current.Evidence"/>: where a name can come to be another person's.
    /// </summary>
    bool BindsEveryCredential => false;

    /// <summary>The method's name, as <see cref="Subject.Method"/> has it: <c>htpasswd</c>, <c>ldap:corp</c>.</summary>
    string Method { get; }

    /// <summary>
    /// What keeps an access token of a subject from being good, as far as is known here without asking anyone;
    /// <see langword="null"/> where nothing does. Asked on every request with a token, so it must be quick.
    /// </summary>
    /// <param name="subject">One that this method accepted.</param>
    /// <param name="evidence">
    /// What the password was checked against then; <see langword="null"/>: it does not matter.
    /// </param>
    AuthenticationResult.Refused? FindFault(Subject subject, string? evidence);

    /// <summary>
    /// The subject as it is now. Asked whenever a token is presented that lasts longer than an access token, and for
    /// names that another method accepts; so answers are remembered for a while, also that there is none.
    /// </summary>
    /// <param name="name">The canonical name, as <see cref="Subject.Name"/> has it; may be any text.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    ValueTask<SubjectState> ResolveAsync(string name, CancellationToken cancellationToken);
}
