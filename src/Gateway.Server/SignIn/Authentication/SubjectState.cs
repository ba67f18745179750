using Gateway.Core.Authorization;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>What a source of subjects knows about a name now.</summary>
internal abstract record SubjectState
{
    private SubjectState()
    {
    }

    /// <summary>The subject exists.</summary>
    /// <param name="Subject">
    /// With the groups and claims that hold now; the same instance while nothing changes, since policy works out a
    /// subject's groups once for each.
    /// </param>
    /// <param name="Evidence">What its password is judged by; see <see cref="Principal.Evidence"/>.</param>
    public sealed record Current(Subject Subject, string? Evidence) : SubjectState;

    /// <summary>There is no such subject, or it may not sign in any more.</summary>
    /// <param name="Reason">For the log and the audit record.</param>
    /// <param name="Message">What the holder of a credential of this subject may know.</param>
    /// <param name="IsNameTaken">
    /// Whether the name still has an owner, who may return: it is not free for another.
    /// </param>
    public sealed record Gone(string Reason, string Message, bool IsNameTaken = false) : SubjectState
    {
        /// <summary>Nothing more is known.</summary>
        public static readonly Gone Instance = new("the user is gone", "its owner no longer exists");
    }

    /// <summary>The source could not be asked.</summary>
    /// <param name="Reason">For the log; never a secret.</param>
    public sealed record Undecided(string Reason) : SubjectState;
}
