using System.Net;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.SignIn.Issuers;

/// <summary>Rules that all outside issuers have in common.</summary>
internal static class IssuerOptionsValidator
{
    private const int LongestName = 32;

    /// <summary>Reports what is wrong.</summary>
    public static void Validate(IssuerOptions options, SettingScope scope)
    {
        if (options.Issuer.Length == 0)
        {
            return; // required: reported already
        }

        var issuer = scope.At(nameof(options.Issuer));
        if (!Uri.TryCreate(options.Issuer, UriKind.Absolute, out var url)
            || url.UserInfo.Length > 0 || url.Query.Length > 0 || url.Fragment.Length > 0 || url.Host.Length == 0)
        {
            issuer.Report(
                "is not an issuer URL",
                "Write the value of \"iss\" in its tokens, such as https://keycloak.example.com/realms/main; "
                + "the issuer's own <issuer>/.well-known/openid-configuration names it.");
        }
        else if (!IsSafe(url))
        {
            issuer.Report(
                "is not https, so anyone on the network path could replace its keys",
                "Use https://; http is for loopback only.");
        }
    }

    /// <summary>Reports a name that a method cannot have: it appears before users' names and in records.</summary>
    public static void CheckName(string name, SettingScope scope)
    {
        if (name is "htpasswd" or "certificate" or "robot" or "none"
            || name.Length is 0 or > LongestName
            || !char.IsAsciiLetterOrDigit(name[0])
            || name.Any(static c => !char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c != '-'))
        {
            scope.Report(
                "is not a name for a source of users",
                $"Use 1 to {LongestName} lowercase letters, digits and hyphens, but not htpasswd, "
                + "certificate, robot or none.");
        }
    }

    /// <summary>Whether no one can change what comes from a URL on its way.</summary>
    public static bool IsSafe(Uri url) =>
        url.Scheme == Uri.UriSchemeHttps
        || (url.Scheme == Uri.UriSchemeHttp
            && (url.Host == "localhost"
            || (IPAddress.TryParse(url.Host.Trim('[', ']'), out var ip) && IPAddress.IsLoopback(ip))));
}
