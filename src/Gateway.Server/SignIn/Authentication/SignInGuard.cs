using System.Net;
using Gateway.Core.RateLimiting;
using Gateway.Foundation.Caching;
using Gateway.Server.Limits.RateLimiting;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Reloading;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>
/// Slows down anyone who guesses passwords, by account and by address, over all login surfaces. Those who are signed
/// in, and a right password from an address that guessed nothing, notice nothing.
/// </summary>
/// <remarks>
/// <para>A password is counted as wrong before it is checked, and taken back if it was not: otherwise a thousand
/// guesses at once would all be checked. Where the counting alone would refuse it, an attempt waits a moment for
/// those before it to be taken back, since many people may sign in at once from one address. The requests of one
/// client, which presents the same password on each of its connections, wait for the first of them instead of counting
/// against each other.</para>
/// <para>Tokens are neither counted nor kept waiting, since no one guesses 190 random bits; nor is an ID token, which
/// no one can forge. An access token and the want of any credentials are no sign-in.</para>
/// </remarks>
internal sealed class SignInGuard(
    Reloadable<LimitSet> limits,
    FailureCounter failures,
    CredentialFingerprint fingerprint,
    TimeProvider time)
{
    private const int MostHeld = 128;
    private const int MostHeldOfAddress = 16; // so that one address does not take all the places
    private const int RememberedCredentials = 10_000;

    private static readonly TimeSpan AcceptanceLifetime = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan AcceptanceRenewal = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestHold = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Recheck = TimeSpan.FromMilliseconds(100);

    // What was right a moment ago is no guess: not counted again for each of a client's many requests.
    private readonly BoundedCache<CredentialKey, Acceptance> _accepted = new(RememberedCredentials);
    private readonly Dictionary<string, int> _held = new(StringComparer.Ordinal);
    private readonly Dictionary<CredentialKey, TaskCompletionSource> _underWay = [];
    private readonly Lock _lock = new();
    private int _heldCount;

    /// <summary>Lets an attempt to sign in be checked, or makes it wait.</summary>
    /// <param name="credentials">What is presented.</param>
    /// <param name="address">Where it comes from.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async ValueTask<SignInPermit> EnterAsync(
        PresentedCredentials credentials, IPAddress address, CancellationToken cancellationToken)
    {
        if (credentials.Form != SignInForm.Password)
        {
            return default;
        }

        var shown = credentials.Password;
        var key = CredentialKey.Derive("sign-in", shown, "");
        var permit = new SignInPermit { Shown = shown, Key = key };
        while (!IsAccepted(key, AcceptanceLifetime))
        {
            if (FindUnderWay(key) is { } other)
            {
                await other.WaitAsync(cancellationToken);
                continue;
            }

            try
            {
                permit = await CountAsync(permit with { IsFirst = true }, shown, address, cancellationToken);
            }
            catch
            {
                Finish(key);
                throw;
            }

            break;
        }

        return permit;
    }

    /// <summary>Says how it ended. Whatever happens between, this must be called.</summary>
    /// <param name="permit">From <see cref="EnterAsync"/>.</param>
    /// <param name="result">What the methods said.</param>
    /// <param name="address">Where it came from.</param>
    /// <remarks>
    /// Not given up with the request: hanging up must not leave a right password counted, nor a wrong one not.
    /// </remarks>
    public async ValueTask LeaveAsync(SignInPermit permit, AuthenticationResult result, IPAddress address)
    {
        if (permit is not { Shown: { } shown, Key: { } key })
        {
            return;
        }

        try
        {
            if (permit.Throttled is null)
            {
                await SettleAsync(permit, key, shown, result, address);
            }
        }
        finally
        {
            if (permit.IsFirst)
            {
                Finish(key);
            }
        }
    }

    private async ValueTask SettleAsync(
        SignInPermit permit, CredentialKey key, BasicCredentials shown, AuthenticationResult result, IPAddress address)
    {
        if (result is AuthenticationResult.Accepted)
        {
            if (!IsAccepted(key, AcceptanceRenewal))
            {
                _accepted.Add(
                    key,
                    new Acceptance(time.GetTimestamp()),
                    old => time.GetElapsedTime(old.Timestamp) >= AcceptanceLifetime);
            }

            await (permit.Counted is { } right
                ? failures.ForgiveAsync(right, isRight: true, CancellationToken.None)
                : default);
            return;
        }

        // Refused with a message: it was good once, so it is no guess. Undecided, but one method knew the name and
        // called the password wrong: a guess all the same, or an unavailable directory would let anyone guess at the
        // others' users.
        var isWrong = result is AuthenticationResult.Refused { Message: null } or AuthenticationResult.NotMine
            or AuthenticationResult.Undecided { IsRefusedByOne: true };
        if (!isWrong)
        {
            await (permit.Counted is { } nobodyKnows
                ? failures.ForgiveAsync(nobodyKnows, isRight: false, CancellationToken.None)
                : default);
            return;
        }

        _accepted.Remove(key); // it may have been right until a moment ago
        if (permit.Counted is { } wrong)
        {
            await failures.ConfirmAsync(wrong, CancellationToken.None);
        }
        else if (!permit.IsAgain)
        {
            await failures.CountAsync(AttemptOf(shown, address), isOver: true, CancellationToken.None);
        }
    }

    // What another request waits for with the same name and password; null where there was none, and this one is it
    // now.
    private Task? FindUnderWay(CredentialKey key)
    {
        lock (_lock)
        {
            if (_underWay.TryGetValue(key, out var other))
            {
                return other.Task;
            }

            _underWay.Add(key, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            return null;
        }
    }

    private void Finish(CredentialKey key)
    {
        lock (_lock)
        {
            if (_underWay.Remove(key, out var first))
            {
                first.SetResult();
            }
        }
    }

    private async ValueTask<SignInPermit> CountAsync(
        SignInPermit permit, BasicCredentials shown, IPAddress address, CancellationToken cancellationToken)
    {
        var attempt = AttemptOf(shown, address);
        var from = LimitKey.AddressOf(address);
        var started = time.GetTimestamp();
        var isHeld = false;
        try
        {
            while (true)
            {
                var verdict = await failures.CountAsync(attempt, isOver: false, cancellationToken);
                if (verdict.By is not { } rule)
                {
                    return permit with { Counted = verdict.Counted, IsAgain = verdict.Counted is null };
                }

                isHeld = isHeld || TryHold(from);
                if (!isHeld || verdict.Wait > FailureBudget.FirstDelay || time.GetElapsedTime(started) > LongestHold)
                {
                    return permit with
                    {
                        Throttled = new AuthenticationResult.Throttled(
                            TimeSpan.FromMicroseconds(verdict.Wait), rule.Name),
                    };
                }

                await Task.Delay(Recheck, time, cancellationToken);
            }
        }
        finally
        {
            if (isHeld)
            {
                EndHold(from);
            }
        }
    }

    private bool TryHold(string address)
    {
        lock (_lock)
        {
            var count = _held.GetValueOrDefault(address);
            if (_heldCount >= MostHeld || count >= MostHeldOfAddress)
            {
                return false;
            }

            _heldCount++;
            _held[address] = count + 1;
            return true;
        }
    }

    private void EndHold(string address)
    {
        lock (_lock)
        {
            _heldCount--;
            if (_held[address] == 1)
            {
                _held.Remove(address);
            }
            else
            {
                _held[address]--;
            }
        }
    }

    private bool IsAccepted(CredentialKey key, TimeSpan within) =>
        _accepted.TryGet(key, out var accepted) && time.GetElapsedTime(accepted.Timestamp) < within;

    private FailureAttempt AttemptOf(BasicCredentials shown, IPAddress address) => FailureAttempt.Create(
        limits.Current.RulesFor(RequestClasses.SignInFailure),
        shown.UserName,
        address,
        fingerprint.Compute(shown.UserName, shown.Password, address));

    /// <summary>That credentials were right, by the clock that never goes back.</summary>
    private sealed record Acceptance(long Timestamp);
}
