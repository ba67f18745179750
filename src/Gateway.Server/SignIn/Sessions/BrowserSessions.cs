using Gateway.Core.Authorization;
using Gateway.Core.Tokens;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.SignIn.Oidc;
using Gateway.Server.Store.Identities;
using Gateway.Server.Store.State;

namespace Gateway.Server.SignIn.Sessions;

/// <summary>
/// People's sessions in their browsers. The cookie holds a random secret and nothing else; it refers to a credential in
/// the store, so that it is revoked like any other, on every replica.
/// </summary>
internal sealed partial class BrowserSessions(
    ICredentialStore store,
    SubjectStanding standing,
    CredentialUses uses,
    AuthenticationOptions options,
    TimeProvider time,
    ILogger<BrowserSessions> logger)
{
    /// <summary>
    /// The cookie. By its prefix a browser accepts it only over TLS, from this very host, for the whole of it (RFC
    /// 6265bis, section 4.1.3.2): a neighbour under the same domain cannot set one.
    /// </summary>
    public const string CookieName = "__Host-session";

    private const string SidClaim = "sid";

    /// <summary>Starts one.</summary>
    /// <param name="context">The request that proved who it is.</param>
    /// <param name="identity">Who.</param>
    /// <param name="sid">The provider's own session, for its back-channel logout.</param>
    /// <exception cref="StateException">It cannot be stored.</exception>
    public async Task BeginAsync(HttpContext context, StoredIdentity identity, string? sid)
    {
        // a browser has one; and never one that was there before the sign-in (session fixation)
        await EndAsync(context);
        var now = time.GetUtcNow();
        var secret = CredentialSecret.Create(CredentialSecretKind.Session).Reveal();
        var owner = new Subject
        {
            Kind = SubjectKind.User,
            Name = identity.Name,
            Method = identity.Method,
            Claims = System.Collections.Frozen.FrozenDictionary.ToFrozenDictionary(
                sid is null ? [] : new Dictionary<string, string> { [SidClaim] = sid }),
        };
        await store.EnsureRoomAsync(owner, CredentialKind.Session, context.RequestAborted);
        await store.AddAsync(
            new StoredCredential
            {
                Id = CredentialId.Create(),
                Kind = CredentialKind.Session,
                Hash = SecretHash.Of(secret),
                Name = "browser",
                Owner = owner,
                Evidence = OidcIdentities.EvidenceOf(identity),
                Service = GatewayContext.Of(context).Host.Authority,
                CreatedBy = owner.ToString(),
                CreatedAt = now,
                ExpiresAt = now + options.Sessions.Lifetime,
            },
            context.RequestAborted);
        context.Response.Cookies.Append(CookieName, secret, Cookie());
        Log.Begun(logger, owner);
    }

    /// <summary>The session of a request's cookie, with its owner as they are now.</summary>
    /// <returns><see cref="AuthenticationResult.NotMine"/> where there is none, or it has ended.</returns>
    /// <exception cref="StateException">The store cannot tell.</exception>
    public async ValueTask<AuthenticationResult> FindAsync(HttpContext context)
    {
        if (Secret(context) is not { } secret
            || await store.FindAsync(
                SecretHash.Of(secret), context.RequestAborted) is not { Kind: CredentialKind.Session } session)
        {
            return AuthenticationResult.NotMine.Instance;
        }

        var gateway = GatewayContext.Of(context);
        var now = time.GetUtcNow();
        if (session.StateAt(now) != TokenState.Active
            || now - (session.LastUsedAt ?? session.CreatedAt) >= options.Sessions.IdleTimeout
            || session.Service != gateway.Host.Authority)
        {
            return AuthenticationResult.NotMine.Instance;
        }

        var result = await standing.ResolveAsync(
            new AuthenticationResult.Accepted(new Principal
            {
                Subject = session.Owner,
                CredentialId = session.Id,
                Evidence = session.Evidence,
                ExpiresAt = session.ExpiresAt,
            }),
            context.RequestAborted);
        if (result is AuthenticationResult.Accepted)
        {
            uses.Record(new CredentialUse(session.Id, now, gateway.ClientAddress));
        }

        return result;
    }

    /// <summary>Ends the browser's session, if there is one.</summary>
    /// <exception cref="StateException">It cannot be ended.</exception>
    public async Task EndAsync(HttpContext context)
    {
        if (Secret(context) is { } secret
            && await store.FindAsync(
                SecretHash.Of(secret), context.RequestAborted) is { Kind: CredentialKind.Session } session)
        {
            await store.RevokeAsync(session.Id, time.GetUtcNow(), context.RequestAborted);
        }

        context.Response.Cookies.Delete(CookieName, Cookie());
    }

    /// <summary>Ends sessions that a provider says are over.</summary>
    /// <param name="owner">Whose.</param>
    /// <param name="sid">The provider's session; <see langword="null"/>: all of that person.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>How many.</returns>
    public async Task<int> EndAllAsync(Subject owner, string? sid, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var count = 0;
        foreach (var session in await store.ListAsync(owner, cancellationToken))
        {
            if (session.Kind == CredentialKind.Session && session.Owner.Method == owner.Method
                && session.StateAt(now) == TokenState.Active
                && (sid is null || session.Owner.Claims.GetValueOrDefault(SidClaim) == sid)
                && await store.RevokeAsync(session.Id, now, cancellationToken))
            {
                count++;
            }
        }

        return count;
    }

    private static string? Secret(HttpContext context) =>
        context.Request.Cookies.TryGetValue(CookieName, out var text)
        && CredentialSecret.TryParse(text, out var secret) && secret.Kind == CredentialSecretKind.Session
            ? text
            : null;

    // Lax, not Strict: a person comes here from the provider's page, and by links in messages. What changes something
    // asks for an antiforgery token besides.
    private static CookieOptions Cookie() =>
        new() { HttpOnly = true, Secure = true, SameSite = SameSiteMode.Lax, Path = "/" };

    private static partial class Log
    {
        [LoggerMessage(1080, LogLevel.Information, "{Subject} signed in with the browser.")]
        public static partial void Begun(ILogger logger, Subject subject);
    }
}
