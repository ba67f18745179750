using Gateway.Foundation.Text;
using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>Combines what was presented and its result.</summary>
internal static class SignInAttempts
{
    /// <summary>The attempt that a result makes of credentials.</summary>
    public static SignInAttempt Create(PresentedCredentials credentials, AuthenticationResult result)
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
        return new SignInAttempt(credentials.Form, name, outcome, reason);
    }
}
