using System.Diagnostics.CodeAnalysis;

namespace Gateway.Foundation.Trust;

/// <summary>The address of a registry as people type it.</summary>
internal static class RegistryUrl
{
    /// <summary>Reads an address of a registry; https unless a scheme is given.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out Uri? url)
    {
        url = null;
        if (!Uri.TryCreate(
            text.Contains("://", StringComparison.Ordinal) ? text : "https://" + text, UriKind.Absolute, out var parsed)
            || parsed.Scheme is not ("https" or "http") || parsed.Host.Length == 0 || parsed.UserInfo.Length > 0
            || parsed.PathAndQuery.TrimEnd('/') is not ("" or "/v2"))
        {
            return false;
        }

        url = new Uri(parsed.GetLeftPart(UriPartial.Authority));
        return true;
    }
}
