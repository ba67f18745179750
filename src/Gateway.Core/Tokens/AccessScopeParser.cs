using System.Buffers;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;

namespace Gateway.Core.Tokens;

/// <summary>Reads what a token request asks for.</summary>
/// <remarks>
/// Grammar: Distribution, "Token Scope Documentation". A token request is never refused for its scopes: what is unknown
/// or malformed is passed over, which grants less. Asking for too much is no error either.
/// </remarks>
public static class AccessScopeParser
{
    /// <summary>
    /// The longest single scope, in characters: a host, the longest repository name and every action fit.
    /// </summary>
    public const int MaxEntryLength = 1024;

    /// <summary>How many scopes are looked at, so that a body full of them costs little.</summary>
    public const int MaxEntries = 512;

    // What "*" means: crane and skopeo ask for everything that way. Overwrite is no action of tokens.
    private const RepositoryActions Everything =
        RepositoryActions.Pull | RepositoryActions.Push | RepositoryActions.Delete;

    private static readonly SearchValues<char> ClassCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789");

    /// <summary>
    /// Reads scopes such as <c>repository:team/app:pull,push registry:catalog:*</c>. It never throws.
    /// </summary>
    /// <param name="texts">
    /// The values of every <c>scope</c> parameter, untrusted; each may hold several, by spaces.
    /// </param>
    /// <param name="host">
    /// The host that was asked, <c>localhost:8443</c>. Clients may write a repository's name with it in front.
    /// </param>
    public static AccessScope Parse(IEnumerable<string> texts, string host)
    {
        var repositories = new List<RepositoryScope>();
        var catalog = false;
        var seen = 0;
        foreach (var text in texts)
        {
            foreach (var range in text.AsSpan().Split(' '))
            {
                var entry = text.AsSpan(range);
                if (entry.IsEmpty)
                {
                    continue;
                }

                if (++seen > MaxEntries)
                {
                    return AccessScope.Create(repositories, catalog);
                }

                if (TryParseRepository(entry, host, out var repository))
                {
                    repositories.Add(repository);
                }
                else
                {
                    catalog |= IsCatalog(entry);
                }
            }
        }

        return AccessScope.Create(repositories, catalog);
    }

    // The type ends at the first colon and the actions begin at the last: a host with a port may be in between.
    private static bool TryParseRepository(ReadOnlySpan<char> entry, string host, out RepositoryScope scope)
    {
        scope = default;
        if (!TrySplit(entry, out var type, out var name, out var actionNames) || !IsRepositoryType(type))
        {
            return false;
        }

        // Host names compare without case, repositories never do. Any other "host:port/" is no repository name.
        if (name.Length > host.Length && name[host.Length] == '/'
            && name.StartsWith(host, StringComparison.OrdinalIgnoreCase))
        {
            name = name[(host.Length + 1)..];
        }

        var actions = ReadActions(actionNames);
        if (actions == RepositoryActions.None || !RepositoryName.TryParse(name, out var repository))
        {
            return false;
        }

        scope = new RepositoryScope(repository, actions);
        return true;
    }

    private static bool IsCatalog(ReadOnlySpan<char> entry) =>
        TrySplit(entry, out var type, out var name, out var actions)
        && type is "registry" && name is "catalog" && HoldsAsterisk(actions);

    private static bool TrySplit(
        ReadOnlySpan<char> entry, out ReadOnlySpan<char> type, out ReadOnlySpan<char> name,
        out ReadOnlySpan<char> actions)
    {
        var first = entry.IndexOf(':');
        var last = entry.LastIndexOf(':');
        if (first < 0 || first == last || entry.Length > MaxEntryLength)
        {
            type = name = actions = default;
            return false;
        }

        type = entry[..first];
        name = entry[(first + 1)..last];
        actions = entry[(last + 1)..];
        return true;
    }

    // The class in brackets is deprecated; it told plugins from images.
    private static bool IsRepositoryType(ReadOnlySpan<char> type)
    {
        const string repository = "repository";
        if (!type.StartsWith(repository))
        {
            return false;
        }

        return type[repository.Length..] switch
        {
            [] => true,
            ['(', .. { Length: > 0 } name, ')'] => !name.ContainsAnyExcept(ClassCharacters),
            _ => false,
        };
    }

    private static bool HoldsAsterisk(ReadOnlySpan<char> names)
    {
        foreach (var range in names.Split(','))
        {
            if (names[range] is "*")
            {
                return true;
            }
        }

        return false;
    }

    private static RepositoryActions ReadActions(ReadOnlySpan<char> names)
    {
        var actions = RepositoryActions.None;
        foreach (var range in names.Split(','))
        {
            actions |= names[range] switch
            {
                "pull" => RepositoryActions.Pull,
                "push" => RepositoryActions.Push,
                "delete" => RepositoryActions.Delete,
                "*" => Everything,
                _ => RepositoryActions.None,
            };
        }

        return actions;
    }
}
