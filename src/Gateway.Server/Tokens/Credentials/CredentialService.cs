using System.Globalization;
using Gateway.Core.Authorization;
using Gateway.Core.Tokens;
using Gateway.Foundation.Configuration;
using Gateway.Server.Records.Audit;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Store.State;
using Gateway.Server.Tokens.Service;

namespace Gateway.Server.Tokens.Credentials;

/// <summary>
/// Creates, lists, revokes and rotates personal and robot tokens, for the command line and the API alike. These decide
/// who may do so.
/// </summary>
/// <remarks>Every method throws <see cref="StateException"/> where the store cannot do it.</remarks>
internal sealed partial class CredentialService(
    ICredentialStore store,
    TokenOptions options,
    TimeProvider time,
    ILogger<CredentialService> logger,
    IAuditLog? audit = null)
{
    /// <summary>
    /// The most personal or robot tokens of one owner that are active at a time: far more than anyone looks through, so
    /// more is a script that never revokes what it creates. Two orders at once may exceed it by one; nothing depends on
    /// that.
    /// </summary>
    public const int MostLive = 100;

    /// <summary>How long a rotated token works beside the new one, by default.</summary>
    public static readonly TimeSpan DefaultOverlap = TimeSpan.FromHours(24);

    private static readonly TimeSpan LeastLifetime = TimeSpan.FromMinutes(1);

    /// <summary>The names of an order's parts, as <see cref="Problem.Source"/>.</summary>
    public const string NamePart = "name", OwnerPart = "owner", ScopesPart = "scopes", LifetimePart = "expiresIn";

    /// <summary>Creates a token.</summary>
    public async Task<CredentialOutcome> CreateAsync(CredentialOrder order, CancellationToken cancellationToken)
    {
        var problems = Check(order).ToList();
        if (problems.Count > 0)
        {
            return new CredentialOutcome.Invalid(problems);
        }

        var now = Now();
        if (await FindExcessAsync(order.Owner, now, endsNow: 0, cancellationToken) is { } excess)
        {
            return new CredentialOutcome.Conflict(excess);
        }

        var issued = await IssueAsync(order, now, order.Lifetime ?? DefaultLifetime, cancellationToken);
        Log.Created(
            logger, issued.Credential.Kind, issued.Credential.Id, issued.Credential.Owner, order.CreatedBy,
            issued.Credential.ExpiresAt);
        audit?.Record(new CredentialEntry(time.GetUtcNow())
        {
            Action = "create",
            By = order.CreatedBy,
            RequestId = order.RequestId,
            Credential = issued.Credential,
        });
        return issued;
    }

    /// <summary>Tokens, the newest first, including expired and revoked ones that are still stored.</summary>
    /// <param name="owner">Whose; <see langword="null"/> for everyone's.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public Task<IReadOnlyList<StoredCredential>> ListAsync(Subject? owner, CancellationToken cancellationToken) =>
        store.ListAsync(owner, cancellationToken);

    /// <summary>The token with an id, or <see langword="null"/>.</summary>
    public Task<StoredCredential?> FindAsync(string id, CancellationToken cancellationToken) =>
        store.FindAsync(id, cancellationToken);

    /// <summary>Revokes a token, and with it the access tokens issued for it.</summary>
    /// <param name="id">Which one.</param>
    /// <param name="by">Who revokes it.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns><see langword="false"/> where there is none, or it was revoked already.</returns>
    public async Task<bool> RevokeAsync(string id, CredentialActor by, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var owner = audit is null ? null : (await store.FindAsync(id, cancellationToken))?.Owner.ToString();
        var revoked = await store.RevokeAsync(id, now, cancellationToken);
        if (revoked)
        {
            Log.Revoked(logger, id, by.Name);
            audit?.Record(new CredentialEntry(now)
            {
                Action = "revoke",
                By = by.Name,
                RequestId = by.RequestId,
                Id = id,
                Owner = owner,
            });
        }

        return revoked;
    }

    /// <summary>Revokes every token of an owner, and every access token issued to them until now.</summary>
    /// <returns>How many tokens were revoked.</returns>
    public async Task<int> RevokeAllAsync(Subject owner, CredentialActor by, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var count = await store.RevokeAllAsync(owner, now, cancellationToken);
        Log.RevokedAll(logger, owner, count, by.Name);
        audit?.Record(new CredentialEntry(now)
        {
            Action = "revokeAll",
            By = by.Name,
            RequestId = by.RequestId,
            Owner = owner.ToString(),
            Count = count,
        });
        return count;
    }

    /// <summary>
    /// Creates a token like another one with a new lifetime, and lets the other expire after an overlap.
    /// </summary>
    /// <param name="old">The token to replace.</param>
    /// <param name="overlap">How long the old one still works; zero revokes it at once.</param>
    /// <param name="lifetime">The new one's lifetime; <see langword="null"/> for that of the old one.</param>
    /// <param name="by">Who rotates it.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async Task<CredentialOutcome> RotateAsync(
        StoredCredential old, TimeSpan overlap, TimeSpan? lifetime, CredentialActor by,
        CancellationToken cancellationToken)
    {
        var now = Now();
        if (old.Kind is not (CredentialKind.Personal or CredentialKind.Robot) || old.StateAt(now) != TokenState.Active)
        {
            return new CredentialOutcome.Conflict(new Problem(
                old.Id,
                old.Kind is not (CredentialKind.Personal or CredentialKind.Robot)
                    ? $"a {TokenDocument.NameOf(old.Kind)} token cannot be rotated"
                    : "the token has expired or was revoked",
                null,
                old.Kind is not (CredentialKind.Personal or CredentialKind.Robot)
                    ? "Revoke it and sign in again."
                    : "Create a new one."));
        }

        if (lifetime is { } wanted && CheckLifetime(wanted) is { } problem)
        {
            return new CredentialOutcome.Invalid([problem]);
        }

        if (await FindExcessAsync(
            old.Owner, now, endsNow: overlap > TimeSpan.Zero ? 0 : 1, cancellationToken) is { } excess)
        {
            return new CredentialOutcome.Conflict(excess);
        }

        var order = new CredentialOrder
        {
            Owner = old.Owner,
            Evidence = old.Evidence,
            Name = old.Name,
            Limit = old.Limit,
            CreatedBy = by.Name,
        };
        var span = lifetime ?? Clamp(old.ExpiresAt - old.CreatedAt);

        // The new one first: should the process end in between, the job still has a token that is good.
        var issued = await IssueAsync(order, now, span, cancellationToken);
        var end = old.ExpiresAt - now > overlap ? now + overlap : old.ExpiresAt;
        var shortened = false;
        try
        {
            await store.ShortenAsync(old.Id, end, cancellationToken);
            shortened = true;
        }
        finally
        {
            // Also where the old one still works, since the store became unavailable: the new one is good.
            audit?.Record(new CredentialEntry(time.GetUtcNow())
            {
                Action = shortened ? "rotate" : "create",
                By = by.Name,
                RequestId = by.RequestId,
                Credential = issued.Credential,
                Replaced = shortened ? old with { ExpiresAt = end } : null,
            });
        }

        Log.Rotated(logger, old.Kind, old.Id, old.Owner, issued.Credential.Id, by.Name, end);
        return issued with { Replaced = old with { ExpiresAt = end } };
    }

    private TimeSpan DefaultLifetime => Clamp(options.DefaultCredentialLifetime);

    private TimeSpan Clamp(TimeSpan lifetime) =>
        lifetime > options.MaximumCredentialLifetime ? options.MaximumCredentialLifetime
        : lifetime < LeastLifetime ? LeastLifetime
        : lifetime;

    // Whole seconds, so that what is shown is what holds.
    private DateTimeOffset Now()
    {
        var now = time.GetUtcNow();
        return now.AddTicks(-(now.Ticks % TimeSpan.TicksPerSecond));
    }

    private IEnumerable<Problem> Check(CredentialOrder order)
    {
        if (!CredentialName.IsValid(order.Name))
        {
            yield return new Problem(NamePart, "this is not a name for a token", order.Name, CredentialName.Rule);
        }

        if (order.Owner.Kind == SubjectKind.Robot && !RobotName.IsValid(order.Owner.Name))
        {
            yield return new Problem(OwnerPart, "this is not a robot's name", order.Owner.Name, RobotName.Rule);
        }

        if (order.Owner.Kind == SubjectKind.Robot && order.Limit is null)
        {
            yield return new Problem(
                ScopesPart, "a robot token needs scopes", null,
                    "List what it may do, such as \"team-a/**:pull,push\".");
        }

        if (order.Lifetime is { } lifetime && CheckLifetime(lifetime) is { } problem)
        {
            yield return problem;
        }
    }

    private Problem? CheckLifetime(TimeSpan lifetime) =>
        lifetime >= LeastLifetime && lifetime <= options.MaximumCredentialLifetime
            ? null
            : new Problem(
                LifetimePart,
                "out of range",
                Duration.Format(lifetime),
                $"Choose a lifetime from {Duration.Format(LeastLifetime)} to "
                + $"{Duration.Format(options.MaximumCredentialLifetime)}; the operator sets the maximum with "
                + "tokens.maximumCredentialLifetime.");

    private async Task<Problem?> FindExcessAsync(
        Subject owner, DateTimeOffset now, int endsNow, CancellationToken cancellationToken)
    {
        var live = 0;
        var kept = (await store.ListAsync(owner, cancellationToken)).WithoutPassing();
        if (kept.Count >= ICredentialStore.MostKeptPerOwner)
        {
            // Expired and revoked ones are kept for a while; a loop of creating and revoking would fill the store and
            // slow it down.
            return new Problem(
                owner.ToString(),
                "the owner had too many tokens recently, including expired and revoked ones",
                kept.Count.ToString(CultureInfo.InvariantCulture),
                $"At most {ICredentialStore.MostKeptPerOwner} are stored: wait until old ones are "
                + "deleted, 30 days after their end.");
        }

        foreach (var credential in kept)
        {
            if (credential.Kind is CredentialKind.Personal or CredentialKind.Robot
                && credential.StateAt(now) == TokenState.Active)
            {
                live++;
            }
        }

        return live - endsNow < MostLive
            ? null
            : new Problem(
                owner.ToString(),
                "the owner has too many tokens",
                live.ToString(CultureInfo.InvariantCulture),
                $"At most {MostLive} can be active at a time: revoke those that are no longer used.");
    }

    private async Task<CredentialOutcome.Issued> IssueAsync(
        CredentialOrder order, DateTimeOffset now, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        var isRobot = order.Owner.Kind == SubjectKind.Robot;
        var secret = CredentialSecret.Create(isRobot ? CredentialSecretKind.Robot : CredentialSecretKind.Personal);
        var credential = new StoredCredential
        {
            Id = CredentialId.Create(),
            Kind = isRobot ? CredentialKind.Robot : CredentialKind.Personal,
            Hash = SecretHash.Of(secret.Reveal()),
            Name = order.Name,
            // Without groups and claims: what a method said once must not outlast its answer.
            Owner = new Subject { Kind = order.Owner.Kind, Name = order.Owner.Name, Method = order.Owner.Method },
            Evidence = order.Evidence,
            Limit = order.Limit,
            CreatedBy = order.CreatedBy,
            CreatedAt = now,
            ExpiresAt = now + lifetime,
        };
        await store.AddAsync(credential, cancellationToken);
        return new CredentialOutcome.Issued(credential, secret);
    }

    private static partial class Log
    {
        [LoggerMessage(1120, LogLevel.Information,
            "Created the {Kind} token {Id} of {Owner}, by {By}; it expires {ExpiresAt:O}.")]
        public static partial void Created(
            ILogger logger, CredentialKind kind, string id, Subject owner, string by, DateTimeOffset expiresAt);

        [LoggerMessage(1121, LogLevel.Information, "Revoked the token {Id}, by {By}.")]
        public static partial void Revoked(ILogger logger, string id, string by);

        [LoggerMessage(1122, LogLevel.Information, "Revoked everything issued to {Owner}, {Count} tokens, by {By}.")]
        public static partial void RevokedAll(ILogger logger, Subject owner, int count, string by);

        [LoggerMessage(1123, LogLevel.Information,
            "Rotated the {Kind} token {Id} of {Owner} to {NewId}, by {By}; the old one expires {EndsAt:O}.")]
        public static partial void Rotated(
            ILogger logger, CredentialKind kind, string id, Subject owner, string newId, string by,
            DateTimeOffset endsAt);
    }
}
