using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Core.Tokens;
using Gateway.Foundation.Caching;
using Gateway.Server.Requests.Routing;
using Gateway.Server.Store.Keys;

namespace Gateway.Server.Tokens.Service;

/// <summary>
/// Creates the tokens for upstreams that verify tokens too. The gateway itself accepts none of them: they do not say
/// who the holder is.
/// </summary>
internal sealed class UpstreamTokens(ISigningKeys keys, RegistryRouter router, TimeProvider time) : IMeasuredCache
{
    // An upstream checks a token once, when a request begins. A token is used again meanwhile, since pulls and pushes
    // ask for the same access many times; one that leaks is of little use.
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan UsedAgainFor = TimeSpan.FromMinutes(1);

    private const int Remembered = 4_096;

    private readonly BoundedCache<Purpose, Minted> _minted = new(Remembered);

    /// <inheritdoc/>
    public CacheLookups Lookups { get; } = new("upstream_tokens");

    /// <summary>The <c>Authorization</c> header for an upstream.</summary>
    /// <param name="subject">Who asks, for the upstream's log.</param>
    /// <param name="access">What for, by the upstream's names.</param>
    public string HeaderFor(string subject, UpstreamAccess access)
    {
        var now = time.GetUtcNow();
        var key = keys.Current.ActiveAt(now);
        var purpose = new Purpose(subject, access, key.Id);
        var isKnown = _minted.TryGet(purpose, out var minted) && !HasEnded(minted);
        Lookups.Count(isKnown);
        if (!isKnown)
        {
            minted = new Minted("Bearer " + Sign(key, now, subject, access), time.GetTimestamp());
            _minted.Add(purpose, minted, HasEnded);
        }

        return minted!.Header;
    }

    private string Sign(SigningKey key, DateTimeOffset now, string subject, UpstreamAccess access)
    {
        var issuedAt = AccessTokenIssuer.WholeSeconds(now);
        return CompactJws.Sign(key, AccessTokenWriter.Write(new AccessTokenClaims
        {
            Issuer = router.PublicHost.Origin,
            SubjectName = subject,
            Audience = router.PublicHost.Authority,
            IssuedAt = issuedAt,
            ExpiresAt = issuedAt + Lifetime,
            Id = AccessTokenIssuer.NewId(),
            Access = access.ToScope(),
        }).Span);
    }

    // Not the wall clock: setting it back must not keep tokens that upstreams treat as expired.
    private bool HasEnded(Minted minted) => time.GetElapsedTime(minted.At) >= UsedAgainFor;

    private readonly record struct Purpose(string Subject, UpstreamAccess Access, string KeyId);

    private sealed record Minted(string Header, long At);
}

/// <summary>What a request needs of an upstream that verifies tokens, by the upstream's names.</summary>
/// <param name="Repository">The repository; <see langword="null"/> for the catalog.</param>
/// <param name="Actions">The actions on it.</param>
/// <param name="Source">The repository that a blob is mounted from.</param>
internal readonly record struct UpstreamAccess(
    RepositoryName? Repository, RepositoryActions Actions, RepositoryName? Source = null)
{
    /// <summary>The same as a token has it.</summary>
    public AccessScope ToScope()
    {
        if (Repository is null)
        {
            return AccessScope.Create([], catalog: true);
        }

        var own = new RepositoryScope(Repository, Actions);
        return AccessScope.Create(
            Source is null ? [own] : [own, new RepositoryScope(Source, RepositoryActions.Pull)], catalog: false);
    }
}
