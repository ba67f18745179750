namespace Gateway.Core.Authorization.Index;

/// <summary>
/// A subject as one policy sees it: which of the policy's principals it is. Made once for each subject.
/// </summary>
/// <param name="principals">Numbers of principals, ascending.</param>
/// <param name="keys">All that the subject is, in the words of selectors.</param>
/// <param name="pathSegment">The value of <c>${subject}</c>, or <see langword="null"/>.</param>
internal sealed class ResolvedSubject(int[] principals, HashSet<string> keys, string? pathSegment)
{
    public int[] Principals => principals;

    public HashSet<string> Keys => keys;

    public string? PathSegment => pathSegment;

    /// <summary>Whether some allow picks this subject, whatever the repository, address and time.</summary>
    public bool HasAnyGrant { get; init; }

    public bool HasAnyOf(int[] others)
    {
        var (shorter, longer) = others.Length <= principals.Length ? (others, principals) : (principals, others);
        foreach (var principal in shorter)
        {
            if (Array.BinarySearch(longer, principal) >= 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <remarks>
    /// Only users: a robot or workload that happens to be called alice must not own what belongs to the user alice.
    /// The name is compared as a text with one segment of a valid repository name, never read as a pattern or path, so
    /// a user called <c>*</c>, <c>a/b</c> or <c>..</c> has no namespace rather than everyone's.
    /// </remarks>
    public static string? PathSegmentOf(Subject subject) => subject.Kind == SubjectKind.User ? subject.Name : null;
}
