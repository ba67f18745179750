using Gateway.Core.Authorization;

namespace Gateway.Authentication;

/// <summary>A method of authentication that can say later whether a subject it vouched for still stands.</summary>
internal interface ISubjectSource
{
    /// <summary>The method's name, as <see cref="Subject.Method"/> has it.</summary>
    string Method { get; }

    /// <summary>
    /// What the subject's password is judged by now, the same on every replica; <see langword="null"/> where the subject
    /// is gone. Asked on every request with a token, so it must be quick.
    /// </summary>
    string? FindEvidence(Subject subject);
}
