using System.Buffers;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>
/// The canonical form of a user name: what the file holds, what a client sends, what policy and records see.
/// </summary>
/// <remarks>
/// One spelling only: case-sensitive ASCII, so that no folding or normalization makes two names of one person, or one
/// name of two. No <c>:</c>, which ends the name in Basic credentials and in the file; no <c>/</c>, since a policy's
/// <c>${subject}</c> is part of a repository's name; no <c>#</c> at the beginning, which begins a comment.
/// </remarks>
internal static class UserName
{
    /// <summary>The longest name, in characters.</summary>
    public const int MaxLength = 128;

    /// <summary>What a name may look like, for messages.</summary>
    public const string Rule =
        "A user name is 1 to 128 printable ASCII characters without white space, \":\" and \"/\", "
        + "and does not begin with \"#\".";

    private static readonly SearchValues<char> Allowed = SearchValues.Create(
        [.. Enumerable.Range('!', '~' - '!' + 1).Select(static c => (char)c).Where(static c => c is not (':' or '/'))]);

    /// <summary>Whether a text is a user name.</summary>
    public static bool IsValid(ReadOnlySpan<char> text) => IndexOfFault(text) < 0;

    /// <summary>The first character that keeps a text from being a user name, or -1 where nothing does.</summary>
    public static int IndexOfFault(ReadOnlySpan<char> text) =>
        text.IsEmpty || text[0] == '#' ? 0
        : text.IndexOfAnyExcept(Allowed) is var fault and >= 0 ? fault
        : text.Length > MaxLength ? MaxLength
        : -1;
}
