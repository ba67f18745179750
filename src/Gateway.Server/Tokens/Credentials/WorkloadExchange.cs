using Gateway.Core.Authorization;
using Gateway.Core.Tokens;
using Gateway.Server.Records.Audit;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Store.State;
using Gateway.Server.Tokens.Service;

namespace Gateway.Server.Tokens.Credentials;

/// <summary>
/// Gives a job its own secret for its ID token, as narrow as it asks for: its steps then need not see the ID token,
/// which others may accept as well.
/// </summary>
internal sealed class WorkloadExchange(ICredentialStore store, TimeProvider time, IAuditLog? audit = null)
{
    private static readonly TimeSpan ShortestLife = TimeSpan.FromSeconds(1);

    /// <summary>Creates the secret, and stores what it is good for (RFC 8693).</summary>
    /// <param name="principal">Whom the ID token is for.</param>
    /// <param name="asked">What the job asked for; nothing: all that its rule allows.</param>
    /// <param name="granted">What of it may be granted.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="AccessTokenException">It cannot be created, and why.</exception>
    /// <exception cref="StateException">It cannot be stored.</exception>
    public async Task<TokenAnswer> ExchangeAsync(
        Principal principal, AccessScope asked, AccessScope granted, CancellationToken cancellationToken)
    {
        if (principal is not { Subject.Kind: SubjectKind.Workload, ExpiresAt: { } end, CredentialId: not null })
        {
            throw new AccessTokenException("only the ID token of a workload can be exchanged");
        }

        var now = time.GetUtcNow();
        if (end - now < ShortestLife)
        {
            throw new AccessTokenException("the time that the ID token's rule gives is over");
        }

        var secret = CredentialSecret.Create(CredentialSecretKind.Workload);
        var credential = new StoredCredential
        {
            Id = CredentialId.Create(),
            Kind = CredentialKind.Workload,
            Hash = SecretHash.Of(secret.Reveal()),
            Name = "exchange",
            Owner = principal.Subject,
            Limit = asked.IsEmpty ? principal.Limit : LimitOf(granted),
            Evidence = principal.Evidence,
            CreatedBy = principal.Subject.ToString(),
            CreatedAt = now,
            KeptUntil = end, // it cannot be judged again: it is our own secret
            ExpiresAt = end, // never longer than the ID token's own credential: exchanging twice gains nothing
        };
        await store.AddAsync(credential, cancellationToken);
        audit?.Record(new CredentialEntry(now)
        {
            Action = "exchange",
            By = principal.Subject.ToString(),
            Credential = credential,
        });
        return new TokenAnswer(
            new AccessToken(secret.Reveal(), TimeSpan.FromSeconds(Math.Floor((end - now).TotalSeconds))), granted,
            RefreshToken: null)
        {
            IssuedTokenType = TokenRequestParser.AccessTokenType,
        };
    }

    private static CredentialLimit LimitOf(AccessScope granted)
    {
        if (granted.Repositories.IsEmpty)
        {
            throw new AccessTokenException("none of the requested scope is allowed to this workload");
        }

        var entries = granted.Repositories
            .Select(static item => $"{item.Repository}:{string.Join(',', item.WireActions)}")
            .ToArray();
        return CredentialLimit.TryParse(entries, out var limit, out var fault)
            ? limit
            : throw new AccessTokenException(fault.TrimEnd('.'));
    }
}
