using Gateway.Core.Tokens;
using Gateway.Server.Requests.Routing;

namespace Gateway.Server.Portal.Pages;

/// <summary>
/// Where a person goes after the sign-in. One of the few pages there are, and not any address that looks like ours:
/// there is nothing to be redirected to elsewhere.
/// </summary>
internal static class ReturnPath
{
    /// <summary>The page, or <see cref="PortalPaths.Account"/> for everything else.</summary>
    /// <param name="text">Untrusted.</param>
    public static string Accept(string? text)
    {
        if (text == PortalPaths.Device)
        {
            return PortalPaths.Device;
        }

        const string WithCode = PortalPaths.Device + "?user_code=";
        return text is not null && text.StartsWith(WithCode, StringComparison.Ordinal)
            && UserCode.TryParse(text[WithCode.Length..], out var code)
                ? WithCode + code
                : PortalPaths.Account;
    }
}
