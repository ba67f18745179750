using System.Buffers;

namespace Gateway.Server.SignIn.ClientCertificates;

/// <summary>A workload's SPIFFE id: <c>spiffe://example.org/ns/prod/sa/builder</c>.</summary>
/// <remarks>
/// SPIFFE-ID, section 2. Nothing is decoded or folded: there is one spelling, and any other is invalid.
/// </remarks>
internal static class SpiffeId
{
    /// <summary>How every id begins.</summary>
    public const string Scheme = "spiffe://";

    /// <summary>
    /// The longest id accepted, in characters, like every name in policies. The specification allows longer ones.
    /// </summary>
    public const int MaxLength = 256;

    private static readonly SearchValues<char> DomainCharacters =
        SearchValues.Create("0123456789abcdefghijklmnopqrstuvwxyz.-_");

    private static readonly SearchValues<char> PathCharacters =
        SearchValues.Create("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-_");

    /// <summary>Whether a text is the name of a trust domain.</summary>
    public static bool IsTrustDomain(ReadOnlySpan<char> text) =>
        text.Length is > 0 and <= 200 && !text.ContainsAnyExcept(DomainCharacters);

    /// <summary>Reads a workload's id; a trust domain alone is not one.</summary>
    /// <param name="text">Untrusted.</param>
    /// <param name="trustDomain">Its trust domain.</param>
    public static bool TryParse(string text, out string trustDomain)
    {
        trustDomain = "";
        if (text.Length > MaxLength || !text.StartsWith(Scheme, StringComparison.Ordinal))
        {
            return false;
        }

        var rest = text.AsSpan(Scheme.Length);
        var slash = rest.IndexOf('/');
        if (slash < 0 || !IsTrustDomain(rest[..slash]))
        {
            return false;
        }

        foreach (var range in rest[(slash + 1)..].Split('/'))
        {
            if (rest[(slash + 1)..][range] is "" or "." or ".."
                || rest[(slash + 1)..][range].ContainsAnyExcept(PathCharacters))
            {
                return false;
            }
        }

        trustDomain = rest[..slash].ToString();
        return true;
    }
}
