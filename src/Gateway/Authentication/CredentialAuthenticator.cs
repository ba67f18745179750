using System.Globalization;
using System.Text;
using Gateway.Core.Authorization;

namespace Gateway.Authentication;

/// <summary>Turns an <c>Authorization</c> header into a subject, asking the configured methods in order.</summary>
internal sealed partial class CredentialAuthenticator(
    IEnumerable<ICredentialVerifier> verifiers, ILogger<CredentialAuthenticator> logger)
{
    /// <summary>The longest header read, in characters: an access token fits, and an ID token as a CI job's password.</summary>
    public const int MaxHeaderLength = (16 * 1024) + 16;

    private const int LongestLoggedName = 64;

    private static readonly AuthenticationResult.Accepted Anonymous = new(Principal.Anonymous);
    private static readonly AuthenticationResult.Refused UnknownUser = new("unknown user");

    private readonly ICredentialVerifier[] _verifiers = [.. verifiers];

    /// <summary>Judges the credentials of a request.</summary>
    /// <param name="authorizationHeader">
    /// The header's value; <see langword="null"/> where the request has none. Several such headers are the caller's to
    /// refuse; joined by a comma they are malformed here.
    /// </param>
    /// <param name="cancellationToken">Ends the waiting when the client leaves.</param>
    /// <returns>
    /// Never <see cref="AuthenticationResult.NotMine"/>. Credentials that are wrong are never anonymous.
    /// </returns>
    public ValueTask<AuthenticationResult> AuthenticateAsync(
        string? authorizationHeader, CancellationToken cancellationToken)
    {
        if (authorizationHeader is null)
        {
            return ValueTask.FromResult<AuthenticationResult>(Anonymous);
        }

        if (authorizationHeader.Length > MaxHeaderLength)
        {
            return ValueTask.FromResult<AuthenticationResult>(RefuseUnread("the Authorization header is too long"));
        }

        // RFC 9110, section 11.4: a scheme, one space, and, for the schemes known here, a token68.
        var header = authorizationHeader.AsSpan();
        var space = header.IndexOf(' ');
        var scheme = space < 0 ? header : header[..space];
        var parameter = space < 0 ? [] : header[(space + 1)..];
        if (!scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase)) // further schemes branch off here
        {
            return ValueTask.FromResult<AuthenticationResult>(RefuseUnread("unsupported scheme"));
        }

        if (!BasicCredentials.TryParse(parameter, out var credentials, out var fault))
        {
            return ValueTask.FromResult<AuthenticationResult>(RefuseUnread(fault));
        }

        // podman and skopeo send "Basic Og==" where they have no credentials.
        return credentials is { UserName: "", Password: "" }
            ? ValueTask.FromResult<AuthenticationResult>(Anonymous)
            : VerifyAsync(credentials, cancellationToken);
    }

    private async ValueTask<AuthenticationResult> VerifyAsync(
        BasicCredentials credentials, CancellationToken cancellationToken)
    {
        AuthenticationResult.Undecided? undecided = null;
        AuthenticationResult.Refused? refused = null;
        foreach (var verifier in _verifiers)
        {
            var result = await verifier.VerifyAsync(credentials, cancellationToken);
            if (result is AuthenticationResult.Accepted)
            {
                return result;
            }

            undecided ??= result as AuthenticationResult.Undecided;
            refused = result as AuthenticationResult.Refused;
            if (refused is not null)
            {
                break; // the name is that method's own; no other may vouch for it
            }
        }

        // Fails closed, but as "come again": the method that could not tell might have said yes.
        if (undecided is not null)
        {
            Log.SignInUndecided(logger, Printable(credentials.UserName), undecided.Reason);
            return undecided;
        }

        refused ??= UnknownUser;
        Log.SignInRefused(logger, Printable(credentials.UserName), refused.Reason);
        return refused;
    }

    private AuthenticationResult.Refused RefuseUnread(string reason)
    {
        Log.CredentialsUnreadable(logger, reason);
        return new AuthenticationResult.Refused(reason);
    }

    // Anybody can send any name: it must neither forge a log line nor fill the log.
    private static string Printable(string name)
    {
        var text = new StringBuilder();
        foreach (var character in name.AsSpan(0, Math.Min(name.Length, LongestLoggedName)))
        {
            if (character is >= ' ' and <= '~' and not ('\\' or '"'))
            {
                text.Append(character);
            }
            else
            {
                text.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:X4}");
            }
        }

        return text.Append(name.Length > LongestLoggedName ? "…" : "").ToString();
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
    }
}
