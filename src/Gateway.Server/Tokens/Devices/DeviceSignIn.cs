using Gateway.Core.Authorization;
using Gateway.Core.Tokens;
using Gateway.Foundation.Caching;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.Store.Keys;
using Gateway.Server.Store.State;
using Gateway.Server.Tokens.Service;

namespace Gateway.Server.Tokens.Devices;

/// <summary>Lets devices without a browser sign in as the person who authorizes them in one (RFC 8628).</summary>
internal sealed class DeviceSignIn(
    ISigningKeys keys, ICredentialStore store, SubjectStanding standing, TimeProvider time)
{
    private static readonly TimeSpan Lifetime = DeviceAuthorization.Lifetime;
    private static readonly TimeSpan Interval = DeviceAuthorization.Interval;

    private readonly BoundedCache<string, Asked> _asked = new(10_000);

    /// <summary>Starts one.</summary>
    /// <returns>The device's code as it is sent, and what it says.</returns>
    /// <exception cref="StateException">There are no signing keys yet.</exception>
    public (string Text, DeviceCode Code) Begin(string service)
    {
        var now = time.GetUtcNow();
        var code = new DeviceCode(UserCode.Create(), service, now + Lifetime);
        return (code.Sign(keys.Current, now), code);
    }

    /// <summary>Stores a person's approval until the device fetches it.</summary>
    /// <param name="userCode">What they compared.</param>
    /// <param name="service">The host.</param>
    /// <param name="owner">Who.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns><see langword="false"/> where it was already approved.</returns>
    /// <exception cref="StateException">It cannot be stored.</exception>
    public async Task<bool> ApproveAsync(
        string userCode, string service, Subject owner, CancellationToken cancellationToken)
    {
        var hash = DeviceCode.ApprovalHash(service, userCode);
        if (await store.FindAsync(hash, cancellationToken) is not null)
        {
            return false;
        }

        await store.EnsureRoomAsync(owner, CredentialKind.Device, cancellationToken);
        var now = time.GetUtcNow();
        await store.AddAsync(
            new StoredCredential
            {
                Id = CredentialId.Create(),
                Kind = CredentialKind.Device,
                Hash = hash,
                Name = "device",
                Owner = new Subject { Kind = owner.Kind, Name = owner.Name, Method = owner.Method },
                Evidence = await standing.FindLastingEvidenceAsync(owner, cancellationToken),
                Service = service,
                CreatedBy = owner.ToString(),
                CreatedAt = now,
                ExpiresAt = now + Lifetime,
            },
            cancellationToken);
        return true;
    }

    /// <summary>Whether a device may sign in, and as whom. An approval is good once.</summary>
    /// <returns>
    /// Accepted, with a principal as after a password; or refused, with one of RFC 8628's words (section 3.5) as its
    /// reason.
    /// </returns>
    /// <exception cref="StateException">The store cannot tell.</exception>
    public async ValueTask<AuthenticationResult> RedeemAsync(
        string text, string service, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (DeviceCode.Read(text, keys.Current) is not { } code || code.Service != service
            // no gateway signs one that reaches further
            || code.ExpiresAt - now > Lifetime + AccessTokenVerifier.Leeway)
        {
            return Refused("invalid_grant", "this registry did not issue this device code");
        }

        if (code.ExpiresAt <= now)
        {
            return Refused("expired_token", "no one authorized the device within 10 minutes; start again");
        }

        if (_asked.TryGet(text, out var asked) && time.GetElapsedTime(asked.At) < Interval - TimeSpan.FromSeconds(1))
        {
            return Refused("slow_down", "ask every 5 seconds");
        }

        _asked.Add(text, new Asked(time.GetTimestamp()), old => time.GetElapsedTime(old.At) > Lifetime);
        if (await store.FindAsync(DeviceCode.ApprovalHash(service, code.UserCode), cancellationToken)
            is not { Kind: CredentialKind.Device } approval)
        {
            return Refused("authorization_pending", "no one has authorized the device yet");
        }

        if (approval.StateAt(now) != TokenState.Active || !await store.RevokeAsync(approval.Id, now, cancellationToken))
        {
            return Refused("expired_token", "this device code was already used; start again");
        }

        // No credential id: the token that is issued outlives the approval, which is used up and deleted.
        var result = await standing.ResolveAsync(
            new AuthenticationResult.Accepted(new Principal { Subject = approval.Owner, Evidence = approval.Evidence }),
            cancellationToken);
        return result is AuthenticationResult.Accepted(var principal)
            ? new AuthenticationResult.Accepted(
                principal with { Evidence = await standing.FindEvidenceAsync(principal.Subject, cancellationToken) })
            : result;
    }

    private static AuthenticationResult.Refused Refused(string word, string message) => new(word, message);

    private sealed record Asked(long At);
}
