using System.Buffers.Text;
using System.Collections.Frozen;
using System.DirectoryServices.Protocols;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.Server.SignIn.Ldap;

/// <summary>
/// A directory: finds users and their groups, and checks passwords, on whichever of its servers answers.
/// </summary>
internal sealed class LdapDirectory(LdapOptions options, IReadOnlyList<LdapServer> servers) : IDisposable
{
    private static readonly string[] OfIdentity = ["entryUUID", "objectGUID", "pwdChangedTime", "pwdLastSet"];

    private readonly LdapGroups _groups = new(options.Groups);
    private readonly string[] _attributes =
    [
        options.NameAttribute,
        .. OfIdentity,
        .. options.Claims.Values,
        .. options.Groups.Attribute.Length > 0 ? new[] { options.Groups.Attribute } : [],
    ];

    /// <summary>Whether users can be looked up without their password.</summary>
    public bool CanSearch => !string.IsNullOrEmpty(options.BindDn);

    /// <summary>Its servers.</summary>
    public IReadOnlyList<LdapServer> Servers => servers;

    /// <summary>The user of a name; <see langword="null"/>: there is none.</summary>
    /// <exception cref="LdapUnavailableException">No server can tell.</exception>
    public Task<LdapUser?> FindAsync(string name) =>
        OnAnyServerAsync(
            server => server.AskAsync(
                connection => Find(connection, name) is { } entry ? Read(connection, entry, name) : null));

    /// <summary>Checks a password.</summary>
    /// <param name="name">As typed; a user name by its form.</param>
    /// <param name="password">Not empty.</param>
    /// <returns>Whether there is such a user, and the user where the password is right.</returns>
    /// <exception cref="LdapUnavailableException">No server can tell.</exception>
    public async Task<(bool IsKnown, LdapUser? User)> CheckAsync(string name, string password)
    {
        if (!CanSearch)
        {
            var dn = options.UserDn!.Replace("{name}", LdapText.InName(name), StringComparison.Ordinal);
            var (isRight, user) = await OnAnyServerAsync(server => server.BindAsync(
                dn, password,
                connection => ReadOwn(connection, dn) is { } entry ? Read(connection, entry, name) : null));
            // the name or the password is wrong, and there is no telling which: another method may know the name
            return (isRight, user);
        }

        return await OnAnyServerAsync(async server =>
        {
            var found = await server.AskAsync(
                connection => Find(connection, name) is { } entry ? Read(connection, entry, name) : null);

            // An unknown user costs a bind as well, at a name that no entry has.
            var (isRight, _) = await server.BindAsync(
                found?.Dn ?? $"cn={Guid.NewGuid():N},{options.SearchBase}", password, static _ => true);
            return (found is not null, isRight ? found : null);
        });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var server in servers)
        {
            server.Dispose();
        }
    }

    private async Task<T> OnAnyServerAsync<T>(Func<LdapServer, Task<T>> ask)
    {
        LdapUnavailableException? last = null;
        foreach (var server in servers)
        {
            try
            {
                return await ask(server);
            }
            catch (LdapUnavailableException exception) when (exception.IsServers)
            {
                last = exception;
            }
        }

        throw last!;
    }

    private SearchResultEntry? Find(LdapConnection connection, string name)
    {
        var filter = options.UserFilter.Replace("{name}", LdapText.InFilter(name), StringComparison.Ordinal);
        var request = new SearchRequest(options.SearchBase, filter, SearchScope.Subtree, _attributes) { SizeLimit = 2 };
        SearchResponse response;
        try
        {
            response = (SearchResponse)connection.SendRequest(request);
        }
        catch (DirectoryOperationException exception)
            when (exception.Response is SearchResponse { ResultCode: ResultCode.SizeLimitExceeded } many)
        {
            response = many;
        }
        catch (DirectoryOperationException exception) when (exception.Response?.ResultCode == ResultCode.NoSuchObject)
        {
            throw new LdapUnavailableException(
                $"the directory has no {options.SearchBase}. Fix searchBase.", LdapFault.Users, exception);
        }

        return response.Entries.Count switch
        {
            0 => null,
            1 => response.Entries[0],
            _ => throw new LdapUnavailableException( // either could be meant
                "userFilter matches more than one entry. Make it match at most one, for example by "
                + "the objectClass of persons.", LdapFault.Users),
        };
    }

    private SearchResultEntry? ReadOwn(LdapConnection connection, string dn)
    {
        try
        {
            var response = (SearchResponse)connection.SendRequest(
                new SearchRequest(dn, "(objectClass=*)", SearchScope.Base, _attributes));
            return response.Entries.Count == 1 ? response.Entries[0] : null;
        }
        catch (DirectoryOperationException exception) when (exception.Response?.ResultCode
            is ResultCode.NoSuchObject or ResultCode.InsufficientAccessRights)
        {
            return null;
        }
    }

    private LdapUser? Read(LdapConnection connection, SearchResultEntry entry, string typed)
    {
        // The directory's spelling, so that "Alice" and "alice" are one person with one name.
        if (TextsOf(entry, options.NameAttribute) is not [var name])
        {
            throw new LdapUnavailableException(
                $"{entry.DistinguishedName} does not have exactly one {options.NameAttribute}, so {typed} has no user "
                + "name. Fix nameAttribute, or the entry.",
                LdapFault.Users);
        }

        var claims = new Dictionary<string, string>();
        foreach (var (claim, attribute) in options.Claims)
        {
            if (TextsOf(entry, attribute) is [var value])
            {
                claims[claim] = value;
            }
        }

        return new LdapUser(
            entry.DistinguishedName, name, _groups.Find(connection, entry, name), claims.ToFrozenDictionary(),
            EvidenceOf(entry));
    }

    private static string EvidenceOf(SearchResultEntry entry)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(Encoding.UTF8.GetBytes(entry.DistinguishedName));
        foreach (var attribute in OfIdentity)
        {
            Append(entry.Attributes[attribute] is { Count: 1 } value ? (byte[])value.GetValues(typeof(byte[]))[0] : []);
        }

        return Base64Url.EncodeToString(hash.GetHashAndReset().AsSpan(0, 12));

        void Append(byte[] field)
        {
            hash.AppendData(BitConverter.GetBytes(field.Length));
            hash.AppendData(field);
        }
    }

    /// <summary>An attribute's values.</summary>
    internal static string[] TextsOf(SearchResultEntry entry, string attribute) =>
        entry.Attributes[attribute] is { } values ? (string[])values.GetValues(typeof(string)) : [];
}
