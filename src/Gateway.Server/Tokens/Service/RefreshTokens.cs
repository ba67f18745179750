using System.Net;
using Gateway.Core.Authorization;
using Gateway.Core.Tokens;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.Store.State;

namespace Gateway.Server.Tokens.Service;

/// <summary>Refresh tokens: what <c>docker login</c> stores instead of the password.</summary>
/// <remarks>
/// One stays the same over its uses: docker never stores another one than that of the login (Distribution, "OAuth2
/// Token Authentication"). So it is long-lived; revocation, a new password and the removal of its owner revoke it. It
/// is bound to the service it was issued for.
/// </remarks>
internal sealed partial class RefreshTokens(
    TokenOptions options,
    ICredentialStore store,
    ICredentialDirectory directory,
    SubjectStanding standing,
    TimeProvider time,
    ILogger<RefreshTokens> logger)
{
    /// <summary>How many live ones a subject has; each login creates one, and clients never give them back.</summary>
    public const int MostPerSubject = 100;

    /// <summary>Issues one, where there may be one.</summary>
    /// <param name="principal">
    /// Whose. Only for a password itself: what is exchanged once must not be exchanged for something that lasts longer.
    /// </param>
    /// <param name="service">The host it is good for.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>The secret; <see langword="null"/> where there is none to give, which clients accept.</returns>
    public async Task<string?> IssueAsync(Principal principal, string service, CancellationToken cancellationToken)
    {
        if (!options.RefreshTokens
            || principal is not
            {
                CredentialId: null, Scope: null, Limit: null, Evidence: not null,
                Subject.Kind: SubjectKind.User
            })
        {
            return null;
        }

        var now = time.GetUtcNow();
        var end = now + options.RefreshTokenLifetime;
        var secret = CredentialSecret.Create(CredentialSecretKind.Refresh).Reveal();
        try
        {
            if (!await MakeRoomAsync(principal.Subject, now, cancellationToken))
            {
                return null; // its client stores the password instead, as without refresh tokens
            }

            await store.AddAsync(
                new StoredCredential
                {
                    Id = Guid.CreateVersion7(now).ToString("N"),
                    Kind = CredentialKind.Refresh,
                    Hash = SecretHash.Of(secret),
                    Name = "docker login",
                    Owner = principal.Subject,
                    Evidence = principal.Evidence,
                    Service = service,
                    CreatedBy = principal.Subject.ToString(),
                    CreatedAt = now,
                    ExpiresAt = principal.ExpiresAt < end ? principal.ExpiresAt.Value : end,
                },
                cancellationToken);
            return secret;
        }
        catch (StateException exception)
        {
            Log.NotIssued(logger, exception.Message); // the sign-in itself needs no store
            return null;
        }
    }

    /// <summary>Judges one at the token endpoint.</summary>
    /// <param name="secret">Of the form of a refresh token; untrusted.</param>
    /// <param name="service">The host that was asked.</param>
    /// <param name="clientAddress">From where.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async ValueTask<AuthenticationResult> AuthenticateAsync(
        string secret, string service, IPAddress clientAddress, CancellationToken cancellationToken)
    {
        AuthenticationResult result;
        try
        {
            result = Judge(await directory.FindAsync(SecretHash.Of(secret), cancellationToken), service);
            if (result is AuthenticationResult.Accepted accepted)
            {
                result = await standing.ResolveAsync(accepted, cancellationToken);
            }
        }
        catch (StateException exception)
        {
            Log.Undecided(logger, exception.Message);
            return new AuthenticationResult.Undecided(exception.Message);
        }

        switch (result)
        {
            case AuthenticationResult.Accepted(var principal):
                directory.RecordUse(new CredentialUse(principal.CredentialId!, time.GetUtcNow(), clientAddress));
                break;
            case AuthenticationResult.Refused refused:
                Log.Refused(logger, refused.Reason);
                break;
        }

        return result;
    }

    private AuthenticationResult Judge(StoredCredential? credential, string service)
    {
        if (credential is not { Kind: CredentialKind.Refresh })
        {
            return new AuthenticationResult.Refused("an unknown refresh token", "it is not known here");
        }

        if (!options.RefreshTokens)
        {
            return new AuthenticationResult.Refused(
                "refresh tokens are off", "refresh tokens are turned off; run docker login again");
        }

        if (credential.RevokedAt is not null)
        {
            return new AuthenticationResult.Refused(
                "a revoked refresh token", "it was revoked; run docker login again");
        }

        if (credential.ExpiresAt <= time.GetUtcNow())
        {
            return new AuthenticationResult.Refused("an expired refresh token", "it expired; run docker login again");
        }

        if (credential.Service != service)
        {
            return new AuthenticationResult.Refused(
                "a refresh token of another host", "it was issued for another host name");
        }

        var principal = new Principal
        {
            Subject = credential.Owner,
            CredentialId = credential.Id,
            Evidence = credential.Evidence,
            ExpiresAt = credential.ExpiresAt,
        };
        return new AuthenticationResult.Accepted(principal);
    }

    // The longest unused goes: that of a machine that was reinstalled and never asks again.
    private async Task<bool> MakeRoomAsync(Subject owner, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var kept = (await store.ListAsync(owner, cancellationToken)).WithoutPassing();
        if (kept.Count >= ICredentialStore.MostKeptPerOwner)
        {
            Log.TooMany(logger, owner, kept.Count);
            return false;
        }

        var live = kept
            .Where(
                credential => credential.Kind == CredentialKind.Refresh && credential.RevokedAt is null
                    && credential.ExpiresAt > now)
            .OrderBy(static credential => credential.LastUsedAt ?? credential.CreatedAt)
            .ToList();
        foreach (var oldest in live.Take(live.Count - (MostPerSubject - 1)))
        {
            await store.RevokeAsync(oldest.Id, now, cancellationToken);
            Log.MadeRoom(logger, owner, oldest.Id, MostPerSubject);
        }

        return true;
    }

    private static partial class Log
    {
        [LoggerMessage(1105, LogLevel.Information, "A refresh token was refused: {Reason}.")]
        public static partial void Refused(ILogger logger, string reason);

        [LoggerMessage(1106, LogLevel.Warning,
            "The gateway could not check a refresh token and answered 503. {Problem} Passwords "
            + "and access tokens still work.")]
        public static partial void Undecided(ILogger logger, string problem);

        [LoggerMessage(1107, LogLevel.Warning,
            "A sign-in got no refresh token, so its client may store the password. {Problem}")]
        public static partial void NotIssued(ILogger logger, string problem);

        [LoggerMessage(1109, LogLevel.Warning,
            "{Subject} gets no further refresh token: {Count} tokens are stored, including expired and revoked ones. "
            + "These are deleted 30 days after their end.")]
        public static partial void TooMany(ILogger logger, Subject subject, int count);

        [LoggerMessage(1108, LogLevel.Information,
            "The refresh token {Id} of {Subject}, the longest unused, was revoked: a subject can have at most {Most}.")]
        public static partial void MadeRoom(ILogger logger, Subject subject, string id, int most);
    }
}
