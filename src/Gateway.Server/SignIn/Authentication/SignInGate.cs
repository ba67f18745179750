using Gateway.Core.Authorization;
using Gateway.Server.Records.Audit;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.SignIn.ClientCertificates;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>
/// The one door of every login surface (registry, token endpoint, token API): has credentials checked and notes in the
/// request's context what came of it.
/// </summary>
internal sealed partial class SignInGate(
    CredentialAuthenticator authenticator,
    SignInGuard guard,
    ClientCertificateVerifier certificates,
    SubjectStanding standing,
    AuditTrail audit,
    ILogger<SignInGate> logger)
{
    private static readonly AuthenticationResult.Undecided Interrupted = new(
        "the sign-in was interrupted before it was decided");
    private static readonly AuthenticationResult.Undecided Unrecorded = new("the audit trail cannot be written");

    /// <summary>Has the credentials judged by the configured methods.</summary>
    public ValueTask<AuthenticationResult> AuthenticateAsync(
        GatewayContext gateway, PresentedCredentials credentials, CancellationToken cancellationToken)
    {
        var with = new CredentialContext(gateway.Host.Authority, gateway.ClientAddress, gateway.Ticket?.ContinueUntil);
        return JudgeAsync(
            gateway,
            credentials,
            (authenticator, with),
            static (credentials, state, cancellationToken) =>
                state.authenticator.AuthenticateAsync(credentials, state.with, cancellationToken),
            cancellationToken);
    }

    /// <summary>
    /// Has the credentials judged by a surface's own judge; a certificate, by the one judge of certificates.
    /// </summary>
    /// <param name="gateway">The request; its <see cref="GatewayContext.SignIn"/> is set.</param>
    /// <param name="credentials">What it presents.</param>
    /// <param name="state">Given to the judge.</param>
    /// <param name="judge">Is asked unless too many attempts failed before this one.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async ValueTask<AuthenticationResult> JudgeAsync<TState>(
        GatewayContext gateway,
        PresentedCredentials credentials,
        TState state,
        Func<PresentedCredentials, TState, CancellationToken, ValueTask<AuthenticationResult>> judge,
        CancellationToken cancellationToken)
    {
        // Anyone who can fill the disk must not be able to guess passwords without leaving a record.
        if (credentials.Kind != PresentedCredentialsKind.None && audit.IsBlocked)
        {
            gateway.SignIn = SignInAttempts.Create(credentials, Unrecorded);
            return Unrecorded;
        }

        // Before any password is checked: where a certificate is required, no one without one may guess.
        if (certificates.FindFault(gateway.Certificate) is { } fault)
        {
            gateway.SignIn = SignInAttempts.Create(credentials, fault);
            return fault;
        }

        var permit = await guard.EnterAsync(credentials, gateway.ClientAddress, cancellationToken);
        AuthenticationResult result = Interrupted;
        try
        {
            // To its end, also where the client has left: hanging up must not make a guess free.
            result = permit.Throttled ?? (credentials.Certificate is { } certificate
                ? await certificates.SignInAsync(certificate, cancellationToken)
                : await judge(credentials, state, permit.Shown is null ? cancellationToken : CancellationToken.None));
        }
        finally
        {
            await guard.LeaveAsync(permit, result, gateway.ClientAddress);
        }

        // Whatever was presented, by whichever method. After the guard: credentials that were right are no guess, and
        // must not count against others behind the same address.
        if (result is AuthenticationResult.Accepted(var principal)
            && standing.FindBlock(principal.Subject) is { } blocked)
        {
            result = blocked;
            Log.KeptOut(logger, gateway.RequestId, principal.Subject, gateway.ClientAddress,
                (blocked as AuthenticationResult.Refused)?.Reason ?? ((AuthenticationResult.Undecided)blocked).Reason);
        }

        if (credentials.Kind != PresentedCredentialsKind.None)
        {
            gateway.SignIn = SignInAttempts.Create(credentials, result);
        }

        if (result is AuthenticationResult.Throttled throttled)
        {
            gateway.Limit = throttled.Limit;
            Log.Throttled(
                logger, gateway.RequestId, gateway.SignIn?.UserName ?? "", gateway.ClientAddress, throttled.Limit);
        }

        return result;
    }

    private static partial class Log
    {
        [LoggerMessage(1018, LogLevel.Warning,
            "Request {RequestId}: valid credentials of {Subject} from {Address} were not accepted: {Reason}.")]
        public static partial void KeptOut(
            ILogger logger, string requestId, Subject subject, System.Net.IPAddress address, string reason);

        [LoggerMessage(1008, LogLevel.Warning,
            "Request {RequestId}: the limit {Limit} refused a sign-in of \"{UserName}\" from {Address} before it was "
            + "checked. Those who are signed in stay signed in, and tokens still work.")]
        public static partial void Throttled(
            ILogger logger, string requestId, string userName, System.Net.IPAddress address, string limit);
    }
}
