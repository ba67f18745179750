using Gateway.Foundation.Configuration;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.SignIn.Issuers;

namespace Gateway.Server.SignIn.Ldap;

/// <summary>Rules of the <c>authentication.ldap</c> section.</summary>
internal static class LdapOptionsValidator
{
    /// <summary>Reports what is wrong.</summary>
    public static void Validate(
        Dictionary<string, LdapOptions> directories, NameCollisions collisions, SettingScope scope)
    {
        foreach (var (name, options) in directories)
        {
            var at = scope.AtName(name);
            IssuerOptionsValidator.CheckName(name, at);
            Validate(options, collisions, at);
        }
    }

    private static void Validate(LdapOptions options, NameCollisions collisions, SettingScope scope)
    {
        CheckServers(options, scope);
        var searches = !string.IsNullOrEmpty(options.BindDn);
        if (searches == !string.IsNullOrEmpty(options.UserDn))
        {
            scope.Report(
                searches ? "has both bindDn and userDn" : "sets neither bindDn, which looks up users, "
                    + "nor userDn, which names them",
                "Set bindDn, bindPasswordFile and searchBase; or, where no account may search, userDn alone.");
        }
        else if (searches)
        {
            if (string.IsNullOrEmpty(options.BindPassword))
            {
                // To a directory an empty one is not a password, but "unauthenticated" (RFC 4513, section 5.1.2).
                scope.At(nameof(options.BindPassword)).Report(
                    "is missing or empty", "Set bindPasswordFile to a file that holds the account's password.");
            }

            if (string.IsNullOrEmpty(options.SearchBase))
            {
                scope.At(nameof(options.SearchBase)).Report("is missing",
                    "Set it to the entry above the users: ou=people,dc=example,dc=com.");
            }
        }
        else if (options.Names == NameForm.Plain && collisions == NameCollisions.Refuse)
        {
            scope.At(nameof(options.UserDn)).Report(
                "does not let the gateway look up names, so it could not tell this directory's "
                + "users from another source's",
                "Set names: qualified here, or authentication.collisions: same.");
        }

        CheckHolds(options.UserDn, "{name}", scope.At(nameof(options.UserDn)));
        CheckFilter(options.UserFilter, "{name}", scope.At(nameof(options.UserFilter)));
        var groups = scope.At(nameof(options.Groups));
        if (options.Groups.Attribute.Length == 0)
        {
            if (string.IsNullOrEmpty(options.Groups.Base))
            {
                groups.At(nameof(options.Groups.Base)).Report(
                    "is missing, and no attribute names the groups",
                    "Set it to the entry above the groups, or set attribute.");
            }

            var byName = options.Groups.Filter.Contains("{name}", StringComparison.Ordinal); // memberUid of posixGroup
            CheckFilter(options.Groups.Filter, byName ? "{name}" : "{dn}", groups.At(nameof(options.Groups.Filter)));
        }

        scope.At(nameof(options.Timeout)).CheckRange(
            options.Timeout, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
        scope.At(nameof(options.Connections)).CheckRange(options.Connections, 1, 64);
        scope.At(nameof(options.CacheLifetime)).CheckRange(options.CacheLifetime, TimeSpan.Zero, TimeSpan.FromHours(1));
    }

    private static void CheckServers(LdapOptions options, SettingScope scope)
    {
        for (var i = 0; i < options.Servers.Count; i++)
        {
            var url = options.Servers[i];
            var at = scope.At(nameof(options.Servers)).At(i);
            if (url.Scheme is not ("ldap" or "ldaps") || url.Host.Length == 0 || url.PathAndQuery is not ("" or "/")
                || url.UserInfo.Length > 0)
            {
                at.Report("is not the address of a directory server", "Write ldaps://host or ldaps://host:port.");
            }
            else if (url.Scheme == "ldap" && !options.StartTls && !options.AllowPlain)
            {
                at.Report(
                    "would send every password unencrypted",
                    "Use ldaps://, or set startTls. Where the network is secured by other "
                    + "means, set allowPlain: true.",
                    ProblemKind.Unencrypted);
            }
        }
    }

    private static void CheckHolds(string? text, string placeholder, SettingScope scope)
    {
        if (!string.IsNullOrEmpty(text) && !text.Contains(placeholder, StringComparison.Ordinal))
        {
            scope.Report($"does not contain {placeholder}, so all users would be the same", $"Add {placeholder}.");
        }
    }

    private static void CheckFilter(string filter, string placeholder, SettingScope scope)
    {
        CheckHolds(filter, placeholder, scope);
        if (!filter.StartsWith('(') || filter.Count(static c => c == '(') != filter.Count(static c => c == ')'))
        {
            scope.Report("is not a filter: its parentheses do not match",
                "Write it as (uid={name}), all of it in parentheses.");
        }
    }
}
