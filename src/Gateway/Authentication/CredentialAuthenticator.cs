using System.Net;
using Gateway.Core.Authorization;
using Gateway.Core.Tokens;
using Gateway.Issuers;
using Gateway.Tokens;

namespace Gateway.Authentication;

/// <summary>Turns presented credentials into a principal, asking the configured methods in order.</summary>
internal sealed partial class CredentialAuthenticator(
    SignInMethods methods,
    IIssuedCredentials issued,
    IWorkloadCredentials workloads,
    IAccessTokenVerifier accessTokens,
    ILogger<CredentialAuthenticator> logger)
{
    private static readonly AuthenticationResult.Accepted Anonymous = new(Principal.Anonymous);
    private static readonly AuthenticationResult.Refused UnknownUser = new("unknown user");

    private static readonly AuthenticationResult.Refused UnknownIssuer = new(
        "an ID token of an issuer that is not configured",
        "it is an ID token, and its issuer (iss) is none that the operator configured");

    private static readonly AuthenticationResult.Refused UnknownRealm = new("there is no such realm");

    // Good at the token endpoint only, so that what leaks out of a client's configuration opens no registry by itself.
    private static readonly AuthenticationResult.Refused RefreshToken = new(
        "a refresh token in the wrong place", "it is a refresh token, which only the token endpoint takes");

    private static readonly AuthenticationResult.Refused Session = new(
        "a session's secret in the wrong place", "it is the secret of a browser's session, which is no password");

    /// <summary>Judges the credentials of a request.</summary>
    /// <returns>
    /// Never <see cref="AuthenticationResult.NotMine"/>. Credentials that are wrong are never anonymous.
    /// </returns>
    public ValueTask<AuthenticationResult> AuthenticateAsync(
        PresentedCredentials credentials, CredentialContext context, CancellationToken cancellationToken)
    {
        switch (credentials.Kind)
        {
            case PresentedCredentialsKind.None:
                return ValueTask.FromResult<AuthenticationResult>(Anonymous);
            case PresentedCredentialsKind.Password:
                return VerifyAsync(credentials.Password, context.ClientAddress, cancellationToken);
            case PresentedCredentialsKind.Bearer when CredentialSecret.Read(credentials.Token, out _) != CredentialSecretReading.NotASecret:
                return VerifySecretAsync(credentials.Token, context.ClientAddress, cancellationToken);
            case PresentedCredentialsKind.Bearer:
                return VerifyBearerAsync(credentials.Token, context, cancellationToken);
            default:
                Log.CredentialsUnreadable(logger, credentials.Fault.Reason);
                return ValueTask.FromResult<AuthenticationResult>(new AuthenticationResult.Refused(credentials.Fault.Reason));
        }
    }

    private ValueTask<AuthenticationResult> VerifyBearerAsync(
        string token, CredentialContext context, CancellationToken cancellationToken)
    {
        var result = accessTokens.Verify(token, context.Audience, context.ContinueUntil);
        return result is AuthenticationResult.Refused refused
            ? VerifyIdTokenAsync(token, refused, context.ClientAddress, cancellationToken)
            : ValueTask.FromResult(result);
    }

    private async ValueTask<AuthenticationResult> VerifyIdTokenAsync(
        string token, AuthenticationResult.Refused otherwise, IPAddress clientAddress, CancellationToken cancellationToken)
    {
        var result = await workloads.VerifyAsync(token, clientAddress, cancellationToken);
        switch (result)
        {
            case AuthenticationResult.NotMine:
                Log.TokenRefused(logger, otherwise.Reason);
                return otherwise;
            case AuthenticationResult.Refused refused:
                Log.TokenRefused(logger, refused.Reason);
                break;
            case AuthenticationResult.Undecided undecided:
                Log.TokenUndecided(logger, undecided.Reason);
                break;
        }

        return result;
    }

    private async ValueTask<AuthenticationResult> VerifySecretAsync(
        string secret, IPAddress clientAddress, CancellationToken cancellationToken)
    {
        var result = RefreshTokens.HasForm(secret) ? RefreshToken : await issued.VerifyAsync(secret, null, clientAddress, cancellationToken);
        switch (result)
        {
            case AuthenticationResult.NotMine:
                result = new AuthenticationResult.Refused("an unknown secret");
                Log.TokenRefused(logger, "an unknown secret");
                break;
            case AuthenticationResult.Refused refused:
                Log.TokenRefused(logger, refused.Reason);
                break;
            case AuthenticationResult.Undecided undecided:
                Log.TokenUndecided(logger, undecided.Reason);
                break;
        }

        return result;
    }

    private async ValueTask<AuthenticationResult> VerifyAsync(
        BasicCredentials credentials, IPAddress clientAddress, CancellationToken cancellationToken)
    {
        // Whatever the user name: jobs have none of their own. Never hashed as a password, also where no issuer is configured.
        if (JwtParts.HasForm(credentials.Password))
        {
            var otherwise = JwtParts.Read(credentials.Password, out var unread) is null
                ? new AuthenticationResult.Refused($"an ID token that cannot be read: {unread}", unread)
                : UnknownIssuer;
            return await VerifyIdTokenAsync(credentials.Password, otherwise, clientAddress, cancellationToken);
        }

        // First of all: a secret of ours must not be hashed as a password, nor be anybody's htpasswd password.
        var own = FindMisplaced(credentials.Password)
            ?? await issued.VerifyAsync(credentials.Password, credentials.UserName, clientAddress, cancellationToken);
        if (own is AuthenticationResult.Accepted)
        {
            return own;
        }

        var undecided = own as AuthenticationResult.Undecided;
        var refused = own as AuthenticationResult.Refused;
        return undecided is null && refused is null
            ? await AskMethodsAsync(credentials, cancellationToken)
            : Refuse(credentials, undecided, refused);
    }

    // No password, so the guard does not count it as a guess (SignInAttempt.FormOf): what it does not count must not be hashed
    // or shown to a directory either, or guesses of that form would be free.
    private static AuthenticationResult.Refused? FindMisplaced(string secret) =>
        !CredentialSecret.TryParse(secret, out var parsed) ? null
        : parsed.Kind == CredentialSecretKind.Refresh ? RefreshToken
        : parsed.Kind == CredentialSecretKind.Session ? Session
        : null;

    private async ValueTask<AuthenticationResult> AskMethodsAsync(
        BasicCredentials credentials, CancellationToken cancellationToken)
    {
        var result = methods.TrySplit(credentials.UserName, out var method, out var name)
            ? method is null ? UnknownRealm : await method.VerifyAsync(credentials with { UserName = name }, cancellationToken)
            : await AskInOrderAsync(credentials, cancellationToken);
        if (result is AuthenticationResult.Accepted accepted)
        {
            result = await methods.ConfirmNameAsync(accepted, cancellationToken);
        }

        return result is AuthenticationResult.Accepted
            ? result
            : Refuse(credentials, result as AuthenticationResult.Undecided, result as AuthenticationResult.Refused);
    }

    private async ValueTask<AuthenticationResult> AskInOrderAsync(
        BasicCredentials credentials, CancellationToken cancellationToken)
    {
        AuthenticationResult.Undecided? undecided = null;
        foreach (var method in methods.Verifiers)
        {
            var result = await method.VerifyAsync(credentials, cancellationToken);
            switch (result)
            {
                case AuthenticationResult.Accepted:
                    return result;
                case AuthenticationResult.Refused:
                    // The name is that method's own; no other may vouch for it.
                    return undecided is null ? result : undecided with { IsRefusedByOne = true };
                case AuthenticationResult.Undecided cause:
                    undecided ??= cause;
                    break;
            }
        }

        return undecided is null ? AuthenticationResult.NotMine.Instance : undecided;
    }

    private AuthenticationResult Refuse(
        BasicCredentials credentials, AuthenticationResult.Undecided? undecided, AuthenticationResult.Refused? refused)
    {
        // Fails closed, but as "come again": the method that could not tell might have said yes.
        if (undecided is not null)
        {
            Log.SignInUndecided(logger, PrintableName.Of(credentials.UserName), undecided.Reason);
            return undecided;
        }

        refused ??= UnknownUser;
        Log.SignInRefused(logger, PrintableName.Of(credentials.UserName), refused.Reason);
        return refused;
    }

    private static partial class Log
    {
        [LoggerMessage(1001, LogLevel.Information, "The sign-in of \"{UserName}\" was refused: {Reason}.")]
        public static partial void SignInRefused(ILogger logger, string userName, string reason);

        [LoggerMessage(1002, LogLevel.Warning,
            "The sign-in of \"{UserName}\" could not be decided and was answered with 503: {Reason}. "
            + "Who is signed in stays so.")]
        public static partial void SignInUndecided(ILogger logger, string userName, string reason);

        [LoggerMessage(1003, LogLevel.Information, "Credentials were refused unread: {Reason}.")]
        public static partial void CredentialsUnreadable(ILogger logger, string reason);

        [LoggerMessage(1006, LogLevel.Information, "A token was refused: {Reason}.")]
        public static partial void TokenRefused(ILogger logger, string reason);

        [LoggerMessage(1007, LogLevel.Warning,
            "A token could not be judged and was answered with 503: {Reason}. Access tokens and passwords stay good.")]
        public static partial void TokenUndecided(ILogger logger, string reason);
    }
}
