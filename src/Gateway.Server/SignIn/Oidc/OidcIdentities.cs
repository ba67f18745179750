using System.Security.Cryptography;
using Gateway.Core.Authorization;
using Gateway.Foundation.Caching;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Text;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.SignIn.Issuers;
using Gateway.Server.Store.Identities;
using Microsoft.AspNetCore.DataProtection;

namespace Gateway.Server.SignIn.Oidc;

/// <summary>
/// The people of one provider: who owns a name, and whether the provider still confirms them. That is how a token
/// created here stops working with the account there.
/// </summary>
/// <remarks>
/// Asked by the refresh token, when a credential of the person is used and the last answer is older than
/// <see cref="OidcOptions.RevalidateEvery"/>. One replica at a time: a provider that rotates refresh tokens treats one
/// that is presented twice as stolen.
/// </remarks>
internal sealed partial class OidcIdentities(
    OidcProvider provider,
    IIdentityStore store,
    IDataProtectionProvider protection,
    TimeProvider time,
    ILogger<OidcIdentities> logger) : ISubjectSource
{
    private const int RememberedStates = 10_000;

    // Other replicas see within it what one has learned; an operator's "identity forget" takes effect after it.
    private static readonly TimeSpan Remembered = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestQuestion = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(30);

    private readonly IDataProtector _protector = protection.CreateProtector("refresh token of " + provider.Method);
    private readonly BoundedCache<string, Known> _known = new(RememberedStates);
    private readonly SingleFlight<string, SubjectState> _questions = new();

    /// <inheritdoc/>
    public string Method => provider.Method;

    /// <summary>The provider.</summary>
    public OidcProvider Provider => provider;

    /// <summary>Notes a sign-in: what the provider says now replaces what it said before.</summary>
    /// <param name="person">Whom it means.</param>
    /// <param name="refreshToken">With which it can be asked later; <see langword="null"/>: it cannot.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="OidcException">The name is another person's.</exception>
    /// <exception cref="StateException">It cannot be stored.</exception>
    public async Task<StoredIdentity> SignInAsync(
        OidcPerson person, string? refreshToken, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < 5; attempt++)
        {
            var now = time.GetUtcNow();
            var old = await store.FindAsync(Method, person.Name, cancellationToken);
            if (old is not null && old.ProviderSubject != person.ProviderSubject)
            {
                // An account that was renamed to the name of one that is gone must not inherit its tokens and rights.
                throw new OidcException(
                    $"the name \"{person.Name}\" belongs to another account at your provider here; "
                    + "ask the registry's operator",
                    $"the name \"{person.Name}\" is bound to sub \"{PrintableName.Of(old.ProviderSubject)}\" and was "
                    + $"presented by sub \"{PrintableName.Of(person.ProviderSubject)}\"; if the former is gone: "
                    + $"gateway identity forget {ShellWord.Of(Method)} {ShellWord.Of(person.Name)}");
            }

            var next = Current(person, now, old) with
            {
                SignedInAt = now,
                RefreshToken = refreshToken is null ? null : _protector.Protect(refreshToken),
            };
            if (await store.WriteAsync(next, cancellationToken) is { } written)
            {
                Remember(written);
                return written;
            }
        }

        throw new StateException("The identity could not be stored: other requests keep changing it.");
    }

    /// <summary>What a new session's principal is checked against.</summary>
    public static string EvidenceOf(StoredIdentity identity) =>
        Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(identity.ProviderSubject)))[..32];

    /// <inheritdoc/>
    public bool BindsEveryCredential => true;

    /// <inheritdoc/>
    public AuthenticationResult.Refused? FindFault(Subject subject, string? evidence) =>
        !_known.TryGet(subject.Name, out var known) || IsOld(known) ? null // an access token is good for minutes
            : known.State is SubjectState.Gone gone ? new AuthenticationResult.Refused(gone.Reason, gone.Message)
            : known.State is SubjectState.Current current && evidence is not null && evidence != current.Evidence
            ? SubjectStanding.AnotherAccount
            : null;

    /// <inheritdoc/>
    public ValueTask<SubjectState> ResolveAsync(string name, CancellationToken cancellationToken)
    {
        if (!IsNameHere(name))
        {
            return ValueTask.FromResult<SubjectState>(SubjectState.Gone.Instance);
        }

        return _known.TryGet(name, out var known) && !IsOld(known)
            ? ValueTask.FromResult(known.State)
            : new ValueTask<SubjectState>(_questions.AskAsync(name, () => AskAsync(name), cancellationToken));
    }

    private bool IsNameHere(string name) => provider.Options.Names == NameForm.Qualified
        ? name.StartsWith(provider.Name + SignInMethods.SourceSeparator, StringComparison.Ordinal)
            && UserName.IsValid(name.AsSpan(provider.Name.Length + 1))
        : UserName.IsValid(name);

    private StoredIdentity Current(OidcPerson person, DateTimeOffset now, StoredIdentity? old) => new()
    {
        Method = Method,
        Name = person.Name,
        ProviderSubject = person.ProviderSubject,
        Groups = person.Groups,
        Claims = person.Claims,
        SignedInAt = old?.SignedInAt ?? now,
        ValidatedAt = now,
        RefreshToken = old?.RefreshToken,
        Version = old?.Version ?? 0,
    };

    private async Task<SubjectState> AskAsync(string name)
    {
        try
        {
            var identity = await store.FindAsync(Method, name, CancellationToken.None);
            if (identity is null)
            {
                // No one has this name here. Not remembered: names are any text, and asking is quick.
                return SubjectState.Gone.Instance;
            }

            return Remember(await RevalidateAsync(identity));
        }
        catch (Exception exception) when (exception is StateException or CryptographicException)
        {
            return new SubjectState.Undecided($"{Method}: {exception.Message}");
        }
    }

    private async Task<StoredIdentity> RevalidateAsync(StoredIdentity identity)
    {
        var now = time.GetUtcNow();
        if (identity.Ended is not null || identity.RefreshToken is null
            || now - identity.ValidatedAt < provider.Options.RevalidateEvery
            || identity.AskedUntil > now) // another replica asks, or the provider was unavailable a moment ago
        {
            return identity;
        }

        // The replica that writes this asks; the others see it.
        if (await store.WriteAsync(
            identity with { AskedUntil = now + LongestQuestion }, CancellationToken.None) is not { } claimed)
        {
            return await store.FindAsync(Method, identity.Name, CancellationToken.None) ?? identity;
        }

        StoredIdentity next;
        try
        {
            next = await RefreshAsync(claimed) with { AskedUntil = null };
        }
        catch (IssuerException exception)
        {
            Log.Away(logger, identity.Name, Method, exception.Message);
            next = claimed with { AskedUntil = time.GetUtcNow() + RetryAfter };
        }

        if (next.Ended is { } reason)
        {
            Log.Ended(logger, identity.Name, Method, reason);
        }

        // A sign-in in between takes precedence.
        return await store.WriteAsync(next, CancellationToken.None)
            ?? await store.FindAsync(Method, identity.Name, CancellationToken.None)
            ?? identity;
    }

    private async Task<StoredIdentity> RefreshAsync(StoredIdentity identity)
    {
        string refreshToken;
        try
        {
            refreshToken = _protector.Unprotect(identity.RefreshToken!);
        }
        catch (CryptographicException)
        {
            return identity with { Ended = "the key that encrypts its refresh token is missing", RefreshToken = null };
        }

        try
        {
            var tokens = await provider.Client.RefreshAsync(refreshToken, CancellationToken.None);
            var kept = tokens.RefreshToken is { } another ? _protector.Protect(another) : identity.RefreshToken;
            try
            {
                var found = await provider.IdentifyAsync(
                    tokens, nonce: null, identity.ProviderSubject, CancellationToken.None);
                var now = time.GetUtcNow();
                return found is not { Person: var person } ? identity with { ValidatedAt = now, RefreshToken = kept }
                    : person.Name != identity.Name
                        ? identity with
                        {
                            Ended = "the account has another name at the provider now",
                            RefreshToken = null,
                        }
                    : Current(person, now, identity) with { RefreshToken = kept };
            }
            catch (IssuerException)
            {
                // The old refresh token may be used up by now: the new one must not be lost.
                await KeepAsync(identity, kept!);
                throw;
            }
        }
        catch (GrantEndedException exception)
        {
            return identity with { Ended = exception.Message, RefreshToken = null };
        }
        catch (OidcException exception) when (exception.IsGateways)
        {
            // not the person's fault
            throw new IssuerException(exception.Reason,
                "Until this is fixed, the gateway cannot ask about anyone.", exception);
        }
        catch (OidcException exception)
        {
            return identity with { Ended = exception.Reason, RefreshToken = null }; // may no longer sign in
        }
    }

    private async Task KeepAsync(StoredIdentity identity, string refreshToken)
    {
        if (await store.FindAsync(Method, identity.Name, CancellationToken.None) is { } current
            && current.Version == identity.Version)
        {
            await store.WriteAsync(current with { RefreshToken = refreshToken }, CancellationToken.None);
        }
    }

    private SubjectState Remember(StoredIdentity identity)
    {
        var state = StateOf(identity);

        // The same instance while nothing changed: policy works out a subject's groups once for each.
        if (state is SubjectState.Current current && _known.TryGet(identity.Name, out var known)
            && known.State is SubjectState.Current same && same.Evidence == current.Evidence
            && same.Subject.Groups.SequenceEqual(current.Subject.Groups)
            && same.Subject.Claims.Count == current.Subject.Claims.Count
            && same.Subject.Claims.All(
                claim => current.Subject.Claims.TryGetValue(claim.Key, out var value) && value == claim.Value))
        {
            state = same;
        }

        _known.Add(identity.Name, new Known(state, time.GetTimestamp()), IsOld);
        return state;
    }

    private SubjectState StateOf(StoredIdentity identity)
    {
        if (identity.Ended is { } reason)
        {
            return new SubjectState.Gone(
                $"{Method} no longer confirms {identity.Name}: {reason}",
                $"{provider.Title} no longer confirms who you are: sign in again in the browser (/account), and your "
                    + "tokens will work again",
                IsNameTaken: true);
        }

        if (time.GetUtcNow() - identity.ValidatedAt >= Window(identity))
        {
            return identity.RefreshToken is null
                ? new SubjectState.Gone(
                    $"{identity.Name} has not signed in at {Method} for {provider.Options.TrustWithoutRefresh}, and "
                    + "it issues no refresh token",
                    "your last sign-in in the browser is too long ago: sign in again (/account), and "
                    + "your tokens will work again",
                    IsNameTaken: true)
                : new SubjectState.Undecided(
                    $"{Method} has not answered for {provider.Options.TrustWithoutRefresh}, so it is not known whether "
                    + $"{identity.Name} is still valid");
        }

        return new SubjectState.Current(identity.ToSubject(), EvidenceOf(identity));
    }

    private TimeSpan Window(StoredIdentity identity) =>
        identity.RefreshToken is not null && provider.Options.TrustWithoutRefresh < provider.Options.RevalidateEvery
            ? provider.Options.RevalidateEvery
            : provider.Options.TrustWithoutRefresh;

    private bool IsOld(Known known) => time.GetElapsedTime(known.Since) >= Remembered;

    private sealed record Known(SubjectState State, long Since);

    private static partial class Log
    {
        [LoggerMessage(1071, LogLevel.Warning,
            "{Method} no longer confirms {Name}: {Reason}. Their tokens are refused until they sign in again in the "
                + "browser.")]
        public static partial void Ended(ILogger logger, string name, string method, string reason);

        [LoggerMessage(1072, LogLevel.Warning,
            "{Method} cannot be asked whether {Name} is still valid: {Problem} Their tokens remain valid for "
                + "trustWithoutRefresh.")]
        public static partial void Away(ILogger logger, string name, string method, string problem);
    }
}
