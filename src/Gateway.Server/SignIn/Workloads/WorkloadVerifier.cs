using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Gateway.Core.Authorization;
using Gateway.Core.Tokens;
using Gateway.Foundation.Caching;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Text;
using Gateway.Server.Records.Audit;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.SignIn.Issuers;
using Gateway.Server.Store.State;

namespace Gateway.Server.SignIn.Workloads;

/// <summary>Signs in jobs by the ID token of an issuer.</summary>
/// <remarks>
/// <para>An ID token is good for minutes, a job runs for hours, and docker presents the same token all along. So a
/// token is judged once; the result, a credential with the rule's lifetime, is stored under the token's hash, and the
/// token is then only the secret of that credential. It can be listed and revoked like any other; the token's own
/// expiry no longer counts. This is the one exception to "exchanging never prolongs": it is bounded by the rule and
/// recorded in the audit trail.</para>
/// <para>A token that was revoked, or whose credential has ended, is not judged again, in whatever form it is
/// presented: for one payload there are two good ECDSA signatures, and anyone can derive one from the other. What a
/// token is, is what it says; so the credential is stored under the hash of header and payload too. That hash proves
/// nothing, as neither is secret: a caller that presents a new form must have a good signature on it.</para>
/// </remarks>
internal sealed partial class WorkloadVerifier(
    IEnumerable<WorkloadIssuer> issuers,
    IdTokenVerifier verifier,
    ICredentialStore store,
    ICredentialDirectory directory,
    SubjectStanding standing,
    TimeProvider time,
    ILogger<WorkloadVerifier> logger,
    IAuditLog? audit = null) : IWorkloadCredentials
{
    private const int RememberedForms = 1_000;

    private readonly WorkloadIssuer[] _issuers = [.. issuers];

    // One judgement for all of a job's first requests, which come at once; and one instance of a principal, since
    // policy works out a subject's groups once for each.
    private readonly SingleFlight<SecretHash, AuthenticationResult> _exchanges = new();
    private readonly ConditionalWeakTable<StoredCredential, AuthenticationResult.Accepted> _accepted = [];

    // Forms whose signature was verified, with the hash of the form that their credential is kept under.
    private readonly BoundedCache<SecretHash, VerifiedForm> _forms = new(RememberedForms);

    /// <inheritdoc/>
    public async ValueTask<AuthenticationResult> VerifyAsync(
        string token, IPAddress clientAddress, CancellationToken cancellationToken)
    {
        if (!IsMine(token))
        {
            // before the store is asked: clients send expired access tokens daily
            return AuthenticationResult.NotMine.Instance;
        }

        var hash = SecretHash.Of(token);
        try
        {
            var kept = _forms.TryGet(hash, out var form) ? form.KeptUnder : hash;
            if (await directory.FindAsync(kept, cancellationToken) is { } known)
            {
                return await JudgeAsync(known, clientAddress, cancellationToken);
            }

            return await _exchanges.AskAsync(hash, () => ExchangeAsync(hash, token, clientAddress), cancellationToken);
        }
        catch (StateException exception)
        {
            return new AuthenticationResult.Undecided($"the job's token cannot be looked up: {exception.Message}");
        }
    }

    private async Task<AuthenticationResult> ExchangeAsync(SecretHash hash, string token, IPAddress clientAddress)
    {
        var identity = SecretHash.Of(JwtParts.SignedPartOf(token));
        var known = await store.FindByIdentityAsync(identity, CancellationToken.None);
        var (issuer, result) = await VerifyAsync(token, isAgain: known is not null);
        switch (result)
        {
            case null:
                return AuthenticationResult.NotMine.Instance;
            case IdTokenResult.Undecided undecided:
                return new AuthenticationResult.Undecided(undecided.Reason);
            case IdTokenResult.Bad bad:
                return new AuthenticationResult.Refused($"an ID token of {issuer!.Method}: {bad.Reason}", bad.Message);
        }

        var good = ((IdTokenResult.Good)result).Token;
        known ??= await FindOfOtherFormAsync(token);
        if (known is not null)
        {
            _forms.Add(hash, new VerifiedForm(known.Hash), static _ => false);
            return await JudgeAsync(known, clientAddress, CancellationToken.None);
        }

        if (issuer!.FindFault(good) is { } tooLong)
        {
            return new AuthenticationResult.Refused($"an ID token of {issuer.Method}: {tooLong}", tooLong);
        }

        if (issuer.Rules.FirstOrDefault(rule => rule.Matches(good)) is not { } rule)
        {
            return new AuthenticationResult.Refused(
                $"no rule of {issuer.Method} accepts sub \"{PrintableName.Of(good.Subject)}\"",
                $"none of the operator's rules for {issuer.Name} accepts this job; its sub is "
                + $"\"{PrintableName.Of(good.Subject)}\"");
        }

        if (rule.SubjectOf(good, out var fault) is not { } subject)
        {
            return new AuthenticationResult.Refused($"an ID token of {issuer.Method}: {fault}", fault);
        }

        var credential = await AddAsync(hash, identity, good, rule, subject);
        return await JudgeAsync(credential, clientAddress, CancellationToken.None);
    }

    // Gateways up to 0.1 kept a credential under the hash of the form that was presented first, and under no other.
    private async Task<StoredCredential?> FindOfOtherFormAsync(string token) =>
        EcdsaForms.OtherFormOf(token) is { } other
            ? await store.FindAsync(SecretHash.Of(other), CancellationToken.None)
            : null;

    private bool IsMine(string token) =>
        _issuers.Length > 0
        && IssuerOf(token) is { } named
        && _issuers.Any(issuer => issuer.Metadata.Issuer == named);

    // Not verified: it only says which issuer's keys are to be tried.
    private static string? IssuerOf(string token) =>
        JwtParts.Read(token, out _)?.Claims is { } claims
        && claims.TryGetProperty("iss", out var issuer)
        && issuer.ValueKind == JsonValueKind.String
            ? issuer.GetString()
            : null;

    // Of several with the same issuer, which are told apart by their audience, the last one's word counts.
    // A token that is known was judged by its times when it came first; what counts is the time of its credential.
    private async ValueTask<(WorkloadIssuer? Issuer, IdTokenResult? Result)> VerifyAsync(string token, bool isAgain)
    {
        var named = IssuerOf(token);
        (WorkloadIssuer? Issuer, IdTokenResult? Result) last = default;
        foreach (var issuer in _issuers)
        {
            if (issuer.Metadata.Issuer == named)
            {
                last = (issuer, await verifier.VerifyAsync(
                    token, issuer.Metadata, issuer.Audience, type: null, CancellationToken.None, judgeTime: !isAgain));
                if (last.Result is IdTokenResult.Good)
                {
                    break;
                }
            }
        }

        return last;
    }

    private async Task<StoredCredential> AddAsync(
        SecretHash hash, SecretHash identity, IdToken token, WorkloadRule rule, Subject subject)
    {
        var now = time.GetUtcNow();
        var credential = new StoredCredential
        {
            Id = CredentialId.Create(),
            Kind = CredentialKind.Workload,
            Hash = hash,
            Identity = identity,
            Name = rule.Name,
            Owner = subject,
            Limit = rule.Limit,
            Evidence = rule.Evidence,
            CreatedBy = subject.ToString(),
            CreatedAt = now,
            ExpiresAt = now + rule.Lifetime,
            // until then it would be good again if it were forgotten
            KeptUntil = token.ExpiresAt + IdTokenVerifier.Leeway,
        };
        try
        {
            await store.AddAsync(credential, CancellationToken.None);
        }
        catch (StateException exception)
        {
            // Another replica may have been first, or another form of the token; the signature of this one is good too.
            return await store.FindByIdentityAsync(identity, CancellationToken.None)
                ?? throw new StateException(exception.Message, exception);
        }

        Log.Exchanged(logger, subject, rule.Name, credential.Id, credential.ExpiresAt);
        audit?.Record(new CredentialEntry(now)
        {
            Action = "exchange",
            By = subject.ToString(),
            Credential = credential,
        });
        return credential;
    }

    private async ValueTask<AuthenticationResult> JudgeAsync(
        StoredCredential credential, IPAddress clientAddress, CancellationToken cancellationToken)
    {
        if (credential.Kind != CredentialKind.Workload)
        {
            return new AuthenticationResult.Refused("a secret in a JWT's place");
        }

        var now = time.GetUtcNow();
        switch (credential.StateAt(now))
        {
            case TokenState.Revoked:
                return new AuthenticationResult.Refused(
                    $"the job's token {credential.Id} is revoked", "it was revoked");
            case TokenState.Expired:
                return new AuthenticationResult.Refused(
                    $"the job's token {credential.Id} is expired",
                    $"its time is over: the rule \"{credential.Name}\" gives a job "
                    + $"{Duration.Format(credential.ExpiresAt - credential.CreatedAt)}; have the job fetch a new ID "
                    + "token");
        }

        var accepted = _accepted.GetValue(
            credential, static credential => new AuthenticationResult.Accepted(new Principal
            {
                Subject = credential.Owner,
                Limit = credential.Limit,
                CredentialId = credential.Id,
                Evidence = credential.Evidence,
                ExpiresAt = credential.ExpiresAt,
            }));
        var result = await standing.ResolveAsync(accepted, cancellationToken);
        if (result is AuthenticationResult.Accepted)
        {
            directory.RecordUse(new CredentialUse(credential.Id, now, clientAddress));
        }

        return result;
    }

    private sealed record VerifiedForm(SecretHash KeptUnder);

    private static partial class Log
    {
        [LoggerMessage(1063, LogLevel.Information,
            "{Workload} signed in through the rule {Rule}: credential {Id}, valid until {ExpiresAt:O}.")]
        public static partial void Exchanged(
            ILogger logger, Subject workload, string rule, string id, DateTimeOffset expiresAt);
    }
}
