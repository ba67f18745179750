using System.Net;
using Gateway.Core.RateLimiting;
using Gateway.RateLimiting;
using Gateway.Reloading;
using Gateway.Tokens;

namespace Gateway.Authentication;

/// <summary>
/// Slows down who guesses passwords, by account and by address, over all login surfaces. Who is signed in, and a right
/// password from an address that guessed nothing, goes on as ever.
/// </summary>
/// <remarks>
/// <para>A password is counted as wrong before it is looked at, and taken back if it was not: otherwise a thousand guesses at
/// once would all be looked at. Where the counting alone stands in the way, an attempt waits a moment for those before it
/// to be taken back, since many people may sign in at once from one address.</para>
/// <para>Tokens are never kept waiting, for nobody guesses 256 random bits; made-up ones count all the same, those that
/// ended do not. An access token and the want of any credentials are no sign-in.</para>
/// </remarks>
internal sealed class SignInGuard(
    Reloadable<LimitSet> limits,
    FailureCounter failures,
    CredentialFingerprint fingerprint,
    TimeProvider time) : IDisposable
{
    private const int MostHeld = 128;
    private const int RememberedCredentials = 10_000;

    private static readonly TimeSpan AcceptanceLifetime = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan AcceptanceRenewal = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestHold = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Recheck = TimeSpan.FromMilliseconds(100);

    // What was right a moment ago is no guess: not counted again for each of a client's many requests.
    private readonly BoundedCache<CredentialKey, Acceptance> _accepted = new(RememberedCredentials);
    private readonly SemaphoreSlim _held = new(MostHeld);

    /// <summary>Lets an attempt to sign in be looked at, or makes it wait.</summary>
    /// <param name="credentials">What is shown.</param>
    /// <param name="address">Where it comes from.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async ValueTask<SignInPermit> EnterAsync(
        PresentedCredentials credentials, IPAddress address, CancellationToken cancellationToken)
    {
        var form = SignInAttempt.FormOf(credentials);
        if (form is not (SignInForm.Password or SignInForm.Token or SignInForm.RefreshToken))
        {
            return default;
        }

        var shown = credentials.Kind == PresentedCredentialsKind.Password
            ? credentials.Password
            : new BasicCredentials("", credentials.Token);
        var permit = new SignInPermit { Shown = shown };
        return form == SignInForm.Password
            ? await EnterAsync(permit with { Key = CredentialKey.Of("sign-in", shown, "") }, shown, address, cancellationToken)
            : permit;
    }

    /// <summary>Says how it ended.</summary>
    /// <param name="permit">From <see cref="EnterAsync(PresentedCredentials, IPAddress, CancellationToken)"/>.</param>
    /// <param name="result">What the methods said.</param>
    /// <param name="address">Where it came from.</param>
    /// <remarks>Not given up with the request: hanging up must not leave a right password counted, nor a wrong one not.</remarks>
    public async ValueTask LeaveAsync(SignInPermit permit, AuthenticationResult result, IPAddress address)
    {
        if (permit is not { Shown: { } shown, Throttled: null })
        {
            return;
        }

        if (result is AuthenticationResult.Accepted && permit.Key is { } key && !IsAccepted(key, AcceptanceRenewal))
        {
            _accepted.Add(
                key,
                new Acceptance(time.GetTimestamp()),
                old => time.GetElapsedTime(old.Timestamp) >= AcceptanceLifetime);
        }

        // Refused with a message: it was good once, so it is no guess.
        if (result is AuthenticationResult.Refused { Message: null } or AuthenticationResult.NotMine)
        {
            if (permit is { Counted: null, IsAgain: false })
            {
                await failures.CountAsync(AttemptOf(shown, address), isOver: true, CancellationToken.None);
            }
        }
        else if (permit.Counted is { } counted)
        {
            await failures.ForgiveAsync(counted, CancellationToken.None);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _held.Dispose();

    private async ValueTask<SignInPermit> EnterAsync(
        SignInPermit permit, BasicCredentials shown, IPAddress address, CancellationToken cancellationToken)
    {
        FailureAttempt? attempt = null;
        var started = time.GetTimestamp();
        var isHeld = false;
        try
        {
            while (!IsAccepted(permit.Key!.Value, AcceptanceLifetime))
            {
                attempt ??= AttemptOf(shown, address);
                var verdict = await failures.CountAsync(attempt, isOver: false, cancellationToken);
                if (verdict.By is not { } rule)
                {
                    return verdict.IsCounted ? permit with { Counted = attempt } : permit with { IsAgain = true };
                }

                isHeld = isHeld || _held.Wait(0, cancellationToken);
                if (!isHeld || verdict.Wait > FailureBudget.FirstDelay || time.GetElapsedTime(started) > LongestHold)
                {
                    return permit with
                    {
                        Throttled = new AuthenticationResult.Throttled(TimeSpan.FromMicroseconds(verdict.Wait), rule.Name),
                    };
                }

                await Task.Delay(Recheck, time, cancellationToken);
            }

            return permit;
        }
        finally
        {
            if (isHeld)
            {
                _held.Release();
            }
        }
    }

    private bool IsAccepted(CredentialKey key, TimeSpan within) =>
        _accepted.TryGet(key, out var accepted) && time.GetElapsedTime(accepted.Timestamp) < within;

    private FailureAttempt AttemptOf(BasicCredentials shown, IPAddress address) => FailureAttempt.Of(
        limits.Current.Of(RequestClasses.SignInFailure),
        shown.UserName,
        address,
        fingerprint.Of(shown.UserName, shown.Password, address));

    /// <summary>That credentials were right, by the clock that never goes back.</summary>
    private sealed record Acceptance(long Timestamp);
}
