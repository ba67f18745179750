using System.Net;
using Gateway.Core.Authorization;
using Gateway.Core.Tokens;
using Gateway.Foundation.Text;
using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.SignIn.Authentication;

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
    private static readonly AuthenticationResult.Refused UnknownSecret = new("an unknown secret");

    private static readonly AuthenticationResult.Refused UnknownIssuer = new(
        "an ID token from an issuer that is not configured",
        "it is an ID token, and the operator has not configured its issuer (iss)");

    private static readonly AuthenticationResult.Refused UnknownSource = new("there is no source of that name");

    // Good at the token endpoint only, so that a secret leaked from a client's configuration does not open a registry.
    private static readonly AuthenticationResult.Refused RefreshToken = new(
        "a refresh token in the wrong place", "it is a refresh token, which only the token endpoint accepts");

    private static readonly AuthenticationResult.Refused Session = new(
        "a session secret in the wrong place", "it is the secret of a browser session, not a password");

    /// <summary>Judges the credentials of a request.</summary>
    /// <returns>
    /// Never <see cref="AuthenticationResult.NotMine"/>. Credentials that are wrong are never anonymous.
    /// </returns>
    public ValueTask<AuthenticationResult> AuthenticateAsync(
        PresentedCredentials credentials, CredentialContext context, CancellationToken cancellationToken)
    {
        switch (credentials.Form)
        {
            case SignInForm.None:
                return ValueTask.FromResult<AuthenticationResult>(Anonymous);
            case SignInForm.Password:
                return AskMethodsAsync(credentials, cancellationToken);
            case SignInForm.Token:
                return VerifyIssuedAsync(credentials, context.ClientAddress, cancellationToken);
            case SignInForm.RefreshToken:
                return ValueTask.FromResult<AuthenticationResult>(Refuse(credentials, RefreshToken));
            case SignInForm.Session:
                return ValueTask.FromResult<AuthenticationResult>(Refuse(credentials, Session));
            case SignInForm.IdToken:
                return VerifyIdTokenAsync(credentials.Secret.Text, context.ClientAddress, cancellationToken);
            case SignInForm.AccessToken or SignInForm.Device:
                return VerifyBearerAsync(credentials.Token, context, cancellationToken);
            default:
                Log.CredentialsUnreadable(logger, credentials.Fault.Reason);
                return ValueTask.FromResult<AuthenticationResult>(
                    new AuthenticationResult.Refused(credentials.Fault.Reason));
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
        string token, AuthenticationResult.Refused otherwise, IPAddress clientAddress,
        CancellationToken cancellationToken)
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

    // The user name does not matter: jobs have none of their own. Never hashed as a password, also where no issuer is
    // configured.
    private ValueTask<AuthenticationResult> VerifyIdTokenAsync(
        string token, IPAddress clientAddress, CancellationToken cancellationToken)
    {
        var otherwise = JwtParts.Read(token, out var unread) is null
            ? new AuthenticationResult.Refused($"an ID token that cannot be read: {unread}", unread)
            : UnknownIssuer;
        return VerifyIdTokenAsync(token, otherwise, clientAddress, cancellationToken);
    }

    // Never hashed as a password and never sent to a method as one, whatever the store says of it.
    private async ValueTask<AuthenticationResult> VerifyIssuedAsync(
        PresentedCredentials credentials, IPAddress clientAddress, CancellationToken cancellationToken)
    {
        var userName = credentials.Kind == PresentedCredentialsKind.Password ? credentials.Password.UserName : null;
        return await issued.VerifyAsync(credentials.Secret, userName, clientAddress, cancellationToken) switch
        {
            AuthenticationResult.Accepted accepted => accepted,
            AuthenticationResult.Undecided undecided => Postpone(credentials, undecided),
            AuthenticationResult.Refused refused => Refuse(credentials, refused),
            _ => Refuse(credentials, UnknownSecret),
        };
    }

    private async ValueTask<AuthenticationResult> AskMethodsAsync(
        PresentedCredentials credentials, CancellationToken cancellationToken)
    {
        var shown = credentials.Password;
        var result = methods.TrySplit(shown.UserName, out var method, out var name)
            ? method is null
                ? UnknownSource
                : await method.VerifyAsync(shown with { UserName = name }, cancellationToken)
            : await AskInOrderAsync(shown, cancellationToken);
        if (result is AuthenticationResult.Accepted accepted)
        {
            result = await methods.ConfirmNameAsync(accepted, cancellationToken);
        }

        return result switch
        {
            AuthenticationResult.Accepted => result,
            AuthenticationResult.Undecided undecided => Postpone(credentials, undecided),
            AuthenticationResult.Refused refused => Refuse(credentials, refused),
            _ => Refuse(credentials, UnknownUser),
        };
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
                    // The name belongs to that method; no other may accept it.
                    return undecided is null ? result : undecided with { IsRefusedByOne = true };
                case AuthenticationResult.Undecided cause:
                    undecided ??= cause;
                    break;
            }
        }

        return undecided is null ? AuthenticationResult.NotMine.Instance : undecided;
    }

    // Fails closed, but as "try again": the method that could not decide might have said yes.
    private AuthenticationResult.Undecided Postpone(
        PresentedCredentials credentials, AuthenticationResult.Undecided undecided)
    {
        if (credentials.Kind == PresentedCredentialsKind.Password)
        {
            Log.SignInUndecided(logger, PrintableName.Of(credentials.Password.UserName), undecided.Reason);
        }
        else
        {
            Log.TokenUndecided(logger, undecided.Reason);
        }

        return undecided;
    }

    private AuthenticationResult.Refused Refuse(PresentedCredentials credentials, AuthenticationResult.Refused refused)
    {
        if (credentials.Kind == PresentedCredentialsKind.Password)
        {
            Log.SignInRefused(logger, PrintableName.Of(credentials.Password.UserName), refused.Reason);
        }
        else
        {
            Log.TokenRefused(logger, refused.Reason);
        }

        return refused;
    }

    private static partial class Log
    {
        [LoggerMessage(1001, LogLevel.Information, "The sign-in of \"{UserName}\" was refused: {Reason}.")]
        public static partial void SignInRefused(ILogger logger, string userName, string reason);

        [LoggerMessage(1002, LogLevel.Warning,
            "The gateway could not decide the sign-in of \"{UserName}\" and answered 503: {Reason}. "
            + "Those who are signed in stay signed in.")]
        public static partial void SignInUndecided(ILogger logger, string userName, string reason);

        [LoggerMessage(1003, LogLevel.Information, "Unreadable credentials were refused: {Reason}.")]
        public static partial void CredentialsUnreadable(ILogger logger, string reason);

        [LoggerMessage(1006, LogLevel.Information, "A token was refused: {Reason}.")]
        public static partial void TokenRefused(ILogger logger, string reason);

        [LoggerMessage(1007, LogLevel.Warning,
            "The gateway could not check a token and answered 503: {Reason}. Access tokens and passwords still work.")]
        public static partial void TokenUndecided(ILogger logger, string reason);
    }
}
