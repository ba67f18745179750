using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using Gateway.Core.Authorization;
using Gateway.Core.Tokens;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.Store.State;

namespace Gateway.Server.Tokens.Credentials;

/// <summary>Verifies personal and robot tokens by what the store knows of them.</summary>
/// <remarks>
/// A secret in the form of such a token belongs to this method alone, also where it is wrong: it is never hashed as a
/// password, and a caller who mistyped one reads that instead of "wrong password". What else the answer says, that a
/// token expired or was revoked, only its holder can learn: no one guesses 190 bits.
/// </remarks>
internal sealed class IssuedCredentialVerifier(
    ICredentialDirectory directory, SubjectStanding standing, TimeProvider time) : IIssuedCredentials
{
    private static readonly AuthenticationResult.Refused Mistyped = new(
        "a mistyped token", "it was mistyped, since its checksum is wrong: copy the complete token again");

    private static readonly AuthenticationResult.Refused Unknown = new(
        "an unknown token", "it is unknown or was deleted");

    // Policy works out a subject's groups once for each instance, so a token has one as long as the directory keeps its
    // record; the entry goes when the record goes, which bounds this.
    private readonly ConditionalWeakTable<StoredCredential, AuthenticationResult.Accepted> _accepted = [];

    /// <inheritdoc/>
    public ValueTask<AuthenticationResult> VerifyAsync(
        PresentedSecret secret, string? userName, IPAddress clientAddress, CancellationToken cancellationToken) =>
        secret.Form switch
        {
            SecretForm.Mistyped => ValueTask.FromResult<AuthenticationResult>(Mistyped),
            SecretForm.Token => LookUpAsync(secret.Text, userName, clientAddress, cancellationToken),
            _ => ValueTask.FromResult<AuthenticationResult>(AuthenticationResult.NotMine.Instance),
        };

    private async ValueTask<AuthenticationResult> LookUpAsync(
        string secret, string? userName, IPAddress clientAddress, CancellationToken cancellationToken)
    {
        StoredCredential? credential;
        try
        {
            credential = await directory.FindAsync(SecretHash.Of(secret), cancellationToken);
        }
        catch (StateException exception)
        {
            // Fails closed, as "try again": the token may be good, and it may have been revoked a second ago.
            return new AuthenticationResult.Undecided($"tokens cannot be looked up: {exception.Message}");
        }

        if (credential is null)
        {
            return Unknown;
        }

        var now = time.GetUtcNow();
        if (FindFault(credential, userName, now) is { } fault)
        {
            return fault;
        }

        var accepted = _accepted.GetValue(credential, static credential => Accept(credential));
        var result = await standing.ResolveAsync(accepted, cancellationToken);
        if (result is AuthenticationResult.Accepted current)
        {
            directory.RecordUse(new CredentialUse(credential.Id, now, clientAddress));
            if (!ReferenceEquals(current, accepted))
            {
                _accepted.AddOrUpdate(credential, current);
            }
        }

        return result;
    }

    private static AuthenticationResult.Refused? FindFault(
        StoredCredential credential, string? userName, DateTimeOffset now) => credential.StateAt(now) switch
        {
            TokenState.Revoked => new(
                $"token {credential.Id} is revoked",
                $"it (\"{credential.Name}\") was revoked on {Format(credential.RevokedAt!.Value)}"),
            TokenState.Expired => new(
                $"token {credential.Id} is expired",
                $"it (\"{credential.Name}\") expired on {Format(credential.ExpiresAt)}; create a new one"),
            _ when !Fits(userName, credential.Owner) => new(
                $"token {credential.Id} is {credential.Owner}'s",
                $"it is not this user's: sign in as \"{credential.Owner.Name}\", or as \"token\""),
            _ => null,
        };

    // A wrong name is not ignored: it would appear in the client's own lists and hide whose rights are used. "<token>"
    // is what docker's credential helpers store beside a token.
    private static bool Fits(string? userName, Subject owner) =>
        userName is null or "token" or "<token>" || userName == owner.Name || owner.Kind == SubjectKind.Workload;

    private static AuthenticationResult.Accepted Accept(StoredCredential credential) => new(new Principal
    {
        Subject = credential.Owner,
        Limit = credential.Limit,
        CredentialId = credential.Id,
        Evidence = credential.Evidence, // not the password's: a new password does not revoke a personal token
        ExpiresAt = credential.ExpiresAt,
    });

    private static string Format(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
}
