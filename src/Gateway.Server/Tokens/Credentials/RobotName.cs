using System.Buffers;

namespace Gateway.Server.Tokens.Credentials;

/// <summary>The canonical form of a robot's name: one spelling, for policy, records and sign-in alike.</summary>
/// <remarks>
/// No <c>:</c>, <c>$</c> or <c>/</c>: <c>robot:ci</c> can never arrive in Basic credentials, where a colon ends the
/// name.
/// </remarks>
internal static class RobotName
{
    /// <summary>What a name may look like, for messages.</summary>
    public const string Rule =
        "A robot's name is 1 to 64 of a-z, 0-9, \".\", \"_\" and \"-\", and begins and ends with a letter or digit.";

    private const int MaxLength = 64;

    private static readonly SearchValues<char> Allowed = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789._-");

    /// <summary>Whether a text is a robot's name.</summary>
    public static bool IsValid(ReadOnlySpan<char> text) =>
        text.Length is > 0 and <= MaxLength
        && !text.ContainsAnyExcept(Allowed)
        && char.IsAsciiLetterOrDigit(text[0])
        && char.IsAsciiLetterOrDigit(text[^1]);
}
