using Gateway.Core.Tokens;
using Gateway.Devices;
using Gateway.Issuers;
using Gateway.Tokens;

namespace Gateway.Authentication;

/// <summary>What one request showed as its credentials and how they were judged: for limits, records and metrics.</summary>
/// <param name="Form">What was shown.</param>
/// <param name="UserName">The name shown with it, fit for a log; <see langword="null"/> where there was none.</param>
/// <param name="Outcome">How it was judged.</param>
/// <param name="Reason">Why it was not accepted, for operators; never a secret.</param>
internal sealed record SignInAttempt(SignInForm Form, string? UserName, SignInOutcome Outcome, string? Reason)
{
    /// <summary>Puts an attempt and its result together.</summary>
    public static SignInAttempt Of(PresentedCredentials credentials, AuthenticationResult result)
    {
        var name = credentials.Kind switch
        {
            PresentedCredentialsKind.Password => PrintableName.Of(credentials.Password.UserName),
            PresentedCredentialsKind.Certificate => PrintableName.Of(credentials.Certificate!.SubjectName),
            _ => null,
        };
        var (outcome, reason) = result switch
        {
            AuthenticationResult.Accepted => (SignInOutcome.Accepted, null),
            AuthenticationResult.Undecided undecided => (SignInOutcome.Undecided, undecided.Reason),
            AuthenticationResult.Throttled throttled => (SignInOutcome.Throttled, $"the limit {throttled.Limit}"),
            AuthenticationResult.Refused refused => (SignInOutcome.Refused, refused.Reason),
            _ => (SignInOutcome.Refused, "unknown user"),
        };
        return new SignInAttempt(FormOf(credentials), name, outcome, reason);
    }

    /// <summary>The form of credentials.</summary>
    public static SignInForm FormOf(PresentedCredentials credentials) => credentials.Kind switch
    {
        PresentedCredentialsKind.None => SignInForm.None,
        PresentedCredentialsKind.Password when JwtParts.HasForm(credentials.Password.Password) => SignInForm.IdToken,
        PresentedCredentialsKind.Password => FormOf(credentials.Password.Password, SignInForm.Password),
        PresentedCredentialsKind.Bearer when DeviceCode.HasForm(credentials.Token) => SignInForm.Device,
        PresentedCredentialsKind.Bearer => FormOf(credentials.Token, SignInForm.AccessToken),
        PresentedCredentialsKind.Certificate => SignInForm.Certificate,
        _ => SignInForm.Unreadable,
    };

    private static SignInForm FormOf(string secret, SignInForm otherwise) =>
        CredentialSecret.Read(secret, out var parsed) == CredentialSecretReading.NotASecret ? otherwise
            : parsed is { Kind: CredentialSecretKind.Session } ? SignInForm.Session
            : RefreshTokens.HasForm(secret) ? SignInForm.RefreshToken
            : SignInForm.Token;
}

/// <summary>What is shown as credentials.</summary>
internal enum SignInForm
{
    /// <summary>Nothing: an anonymous caller.</summary>
    None,

    /// <summary>A password.</summary>
    Password,

    /// <summary>A personal access token or a robot token.</summary>
    Token,

    /// <summary>A refresh token.</summary>
    RefreshToken,

    /// <summary>An access token of this gateway.</summary>
    AccessToken,

    /// <summary>A client certificate.</summary>
    Certificate,

    /// <summary>An ID token of an outside issuer, as the password of a job.</summary>
    IdToken,

    /// <summary>A provider's word, brought by the browser.</summary>
    OpenId,

    /// <summary>A browser's session.</summary>
    Session,

    /// <summary>The code of a device that a person let in.</summary>
    Device,

    /// <summary>Something that cannot be read.</summary>
    Unreadable,
}

/// <summary>How an attempt to sign in ended.</summary>
internal enum SignInOutcome
{
    /// <summary>The credentials are good.</summary>
    Accepted,

    /// <summary>They are wrong, or have ended.</summary>
    Refused,

    /// <summary>Nobody could tell.</summary>
    Undecided,

    /// <summary>Not looked at, after too many failures.</summary>
    Throttled,
}
