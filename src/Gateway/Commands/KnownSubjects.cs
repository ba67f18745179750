using Gateway.Core.Authorization;
using Gateway.Server.Host.Configuration;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.Store.Identities;
using Gateway.Server.Store.State;

namespace Gateway.Commands;

/// <summary>
/// Whom this machine knows: the users of the htpasswd file, people who signed in through a provider, and owners of
/// tokens. A directory is not asked, so its users are known once they have a token.
/// </summary>
internal static class KnownSubjects
{
    private const int MostShown = 10;

    /// <summary>Whether a source or the store knows exactly this subject.</summary>
    public static async Task<bool> IsKnownAsync(
        GatewayOptions options, CommandStores stores, Subject subject, CancellationToken cancellationToken) =>
        (await ReadAsync(options, stores, cancellationToken)).Contains(subject.ToString());

    /// <summary>
    /// The subjects that a name may mean: those with this name, with or without a source before it, of any kind.
    /// </summary>
    public static async Task<IReadOnlyList<string>> FindLikeAsync(
        GatewayOptions options, CommandStores stores, string name, CancellationToken cancellationToken)
    {
        var plain = PlainOf(name);
        return [.. (await ReadAsync(options, stores, cancellationToken))
            .Where(known => PlainOf(known[(known.IndexOf(':', StringComparison.Ordinal) + 1)..])
                .Equals(plain, StringComparison.OrdinalIgnoreCase))
            .Order(StringComparer.Ordinal)];
    }

    /// <summary>The candidates as a sentence.</summary>
    public static string Describe(IReadOnlyList<string> candidates) => candidates.Count == 0
        ? "List everyone who has tokens: gateway token list."
        : $"Known: {string.Join(", ", candidates.Take(MostShown))}.";

    /// <summary>Whether a subject is blocked now.</summary>
    public static async Task<bool> IsBlockedAsync(
        CommandStores stores, Subject subject, CancellationToken cancellationToken) =>
        SubjectBlocks.None.With((await stores.Credentials.ReadBlocksAsync("", cancellationToken)).Blocks!)
            .Find(subject, TimeProvider.System) is not null;

    /// <summary>
    /// The subject that <c>corp/alice</c> is where the directory <c>corp</c> gives qualified names;
    /// <see langword="null"/> else. The directory is asked at each use of their tokens whether it has them.
    /// </summary>
    public static Subject? FindQualifiedLdap(GatewayOptions options, string name)
    {
        var slash = name.IndexOf(SignInMethods.SourceSeparator, StringComparison.Ordinal);
        return slash > 0 && UserName.IsValid(name.AsSpan(slash + 1))
            && options.Authentication.Ldap.TryGetValue(name[..slash], out var ldap) && ldap.Names == NameForm.Qualified
                ? new Subject { Kind = SubjectKind.User, Name = name, Method = "ldap:" + name[..slash] }
                : null;
    }

    private static async Task<HashSet<string>> ReadAsync(
        GatewayOptions options, CommandStores stores, CancellationToken cancellationToken)
    {
        var known = new HashSet<string>(StringComparer.Ordinal);
        foreach (var token in await stores.Credentials.ListAsync(null, cancellationToken))
        {
            known.Add(token.Owner.ToString());
        }

        // A subject that was blocked once is known, even if it has nothing left.
        known.UnionWith(
            (await stores.Credentials.ReadBlocksAsync("", cancellationToken)).Blocks!.Select(
                static block => block.Subject));
        if (options.Authentication.Htpasswd is { } htpasswd && HtpasswdFile.ReadContent(htpasswd.File) is { } content)
        {
            // Line by line: a wrong line must not keep anybody from revoking.
            known.UnionWith(HtpasswdFile.ReadLines(htpasswd.File, content)
                .Where(static entry => entry.Name is not null)
                .Select(static entry => "user:" + entry.Name));
        }

        if (options.Authentication.Oidc.Count > 0)
        {
            known.UnionWith(
                (await stores.Identities.ListAsync(cancellationToken)).Select(static one => "user:" + one.Name));
        }

        return known;
    }

    /// <summary>A name without the source before it.</summary>
    public static string PlainOf(string name) => name[(name.LastIndexOf(SignInMethods.SourceSeparator) + 1)..];
}
