using System.DirectoryServices.Protocols;
using Gateway.Core.Authorization;

namespace Gateway.Server.SignIn.Ldap;

/// <summary>Finds the groups of a user, and the groups of those, by attribute or by search.</summary>
internal sealed class LdapGroups(LdapGroupOptions options)
{
    private const int Most = 1000;

    private readonly Glob[] _only = [.. options.Only.Select(static pattern => new Glob(pattern))];

    /// <summary>The groups, by their names here.</summary>
    /// <exception cref="LdapUnavailableException">
    /// There are too many to read; none is left out, since a deny may depend on it.
    /// </exception>
    public IReadOnlyList<string> Find(LdapConnection connection, SearchResultEntry user, string name)
    {
        var names = new SortedSet<string>(StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var ahead = new Queue<Group>(GroupsOf(connection, user, user.DistinguishedName, name));
        while (ahead.TryDequeue(out var group))
        {
            if (!seen.Add(group.Dn)) // a group that is in itself, over however many steps
            {
                continue;
            }

            if (seen.Count > Most)
            {
                throw new LdapUnavailableException(
                    $"{user.DistinguishedName} is in more than {Most} groups. Narrow groups.base or groups.filter.",
                    LdapFault.Groups);
            }

            var entry = group.Entry;
            if (entry is null && (options.Nested || group.Name is null))
            {
                entry = Read(connection, group.Dn);
            }

            if ((group.Name ?? NameOf(entry)) is { } found && NameHere(found) is { } here)
            {
                names.Add(here);
            }

            if (options.Nested)
            {
                foreach (var above in GroupsOf(connection, entry, group.Dn, name))
                {
                    ahead.Enqueue(above);
                }
            }
        }

        return [.. names];
    }

    private IEnumerable<Group> GroupsOf(LdapConnection connection, SearchResultEntry? entry, string dn, string userName)
    {
        if (options.Attribute.Length > 0)
        {
            return entry is null
                ? []
                : LdapDirectory.TextsOf(entry, options.Attribute).Select(
                    group => new Group(group, LdapText.FirstValue(group, options.NameAttribute), null));
        }

        var filter = options.Filter
            .Replace("{dn}", LdapText.InFilter(dn), StringComparison.Ordinal)
            .Replace("{name}", LdapText.InFilter(userName), StringComparison.Ordinal);
        var response = (SearchResponse)connection.SendRequest(
            new SearchRequest(options.Base, filter, SearchScope.Subtree, options.NameAttribute));
        return response.Entries.Cast<SearchResultEntry>().Select(
            group => new Group(group.DistinguishedName, NameOf(group), group));
    }

    private SearchResultEntry? Read(LdapConnection connection, string dn)
    {
        try
        {
            var response = (SearchResponse)connection.SendRequest(
                new SearchRequest(dn, "(objectClass=*)", SearchScope.Base, options.NameAttribute, options.Attribute));
            return response.Entries.Count == 1 ? response.Entries[0] : null;
        }
        catch (DirectoryOperationException exception) when (exception.Response?.ResultCode
            is ResultCode.NoSuchObject or ResultCode.InsufficientAccessRights or ResultCode.Referral)
        {
            return null; // in another part of the tree, or not for our eyes
        }
    }

    private string? NameOf(SearchResultEntry? group) =>
        group is not null && LdapDirectory.TextsOf(group, options.NameAttribute) is [var name, ..] ? name : null;

    private string? NameHere(string name)
    {
        if (_only.Length > 0 && !Array.Exists(_only, glob => glob.Matches(name)))
        {
            return null;
        }

        var here = options.Prefix + options.Map.GetValueOrDefault(name, name);
        return SubjectSelector.IsName(here) ? here : null; // no policy could name it
    }

    private sealed record Group(string Dn, string? Name, SearchResultEntry? Entry);
}
