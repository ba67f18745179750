using System.Buffers.Text;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Gateway.Core.Authorization;
using Gateway.Foundation.Caching;
using Gateway.Server.Requests.Reloading;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>Verifies passwords against the htpasswd file in force.</summary>
/// <remarks>
/// Every cached or running verification is bound to the very hash it used, not to a moment: once another file
/// is in force, a user who is gone or has a new password is checked again at once, also by a verification that began
/// before and ends after, while everyone else stays signed in. To drop all of it at each change would make every
/// client of a busy gateway cost a hash whenever one user is added.
/// </remarks>
internal sealed partial class HtpasswdVerifier(
    Reloadable<HtpasswdFile> users,
    PasswordHasher hasher,
    HashWorkers workers,
    VerifiedCredentialCache cache,
    ILogger<HtpasswdVerifier> logger) : ICredentialVerifier, ISubjectSource
{
    private static readonly AuthenticationResult.Refused WrongPassword = new("wrong password");
    private static readonly AuthenticationResult.Undecided Busy = new("too many passwords are waiting to be verified");
    private static readonly AuthenticationResult.Undecided Failed = new("the password could not be verified");

    private readonly SingleFlight<CredentialKey, AuthenticationResult> _hashes = new();

    // A user has one instance for as long as the line of the file that was read for them.
    private readonly ConditionalWeakTable<PasswordHash, SubjectState.Current> _states = [];

    /// <inheritdoc/>
    public string Method => "htpasswd";

    /// <inheritdoc/>
    public ValueTask<AuthenticationResult> VerifyAsync(
        BasicCredentials credentials, CancellationToken cancellationToken)
    {
        var file = users.Current;
        if (ReferenceEquals(file, HtpasswdFile.None))
        {
            return ValueTask.FromResult<AuthenticationResult>(AuthenticationResult.NotMine.Instance);
        }

        // Refused without hashing, for any user name: no user can have such a name or password, so the short time tells
        // nothing about who exists.
        var hash = file.Find(credentials.UserName);
        if (!UserName.IsValid(credentials.UserName) || !PasswordRules.CanBeHashed(credentials.Password))
        {
            return ValueTask.FromResult(Refusal(hash));
        }

        var key = CredentialKey.Derive(Method, credentials, hash?.Text ?? "");
        return hash is not null && cache.TryGet(key, out var accepted)
            ? ValueTask.FromResult<AuthenticationResult>(accepted)
            : HashAsync(key, credentials, file, cancellationToken);
    }

    /// <inheritdoc/>
    public AuthenticationResult.Refused? FindFault(Subject subject, string? evidence) =>
        users.Current.Find(subject.Name) is not { } hash ? SubjectStanding.UserGone
        : evidence is not null && evidence != EvidenceOf(hash) ? SubjectStanding.PasswordChanged
        : null;

    /// <inheritdoc/>
    public ValueTask<SubjectState> ResolveAsync(string name, CancellationToken cancellationToken) =>
        ValueTask.FromResult<SubjectState>(
            users.Current.Find(name) is { } hash
                ? _states.GetValue(hash, _ => StateOf(name, hash))
                : SubjectState.Gone.Instance);

    private SubjectState.Current StateOf(string name, PasswordHash hash) =>
        new(new Subject { Kind = SubjectKind.User, Name = name, Method = Method }, EvidenceOf(hash));

    // 96 bits: enough that no two hashes collide, too few to be of use to anyone who reads a token.
    private static string EvidenceOf(PasswordHash hash) =>
        Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(hash.Text)).AsSpan(0, 12));

    private static AuthenticationResult Refusal(PasswordHash? hash) =>
        hash is null ? AuthenticationResult.NotMine.Instance : WrongPassword;

    private async ValueTask<AuthenticationResult> HashAsync(
        CredentialKey key, BasicCredentials credentials, HtpasswdFile file, CancellationToken cancellationToken)
    {
        // Requests with the same credentials share one hash, right or wrong: docker opens several connections at once.
        var result = await _hashes.AskAsync(key, () => RunAsync(key, credentials, file), cancellationToken);

        // Accepted by a hash that is no longer in force: judged anew, by the file that is.
        return result is AuthenticationResult.Accepted
            && users.Current.Find(credentials.UserName)?.Text != file.Find(credentials.UserName)?.Text
            ? await VerifyAsync(credentials, cancellationToken)
            : result;
    }

    private Task<AuthenticationResult> RunAsync(CredentialKey key, BasicCredentials credentials, HtpasswdFile file)
    {
        if (cache.TryGet(key, out var accepted)) // found since the caller looked
        {
            return Task.FromResult<AuthenticationResult>(accepted);
        }

        // Not a 401: the password may well be right.
        return workers.TryRun(() => Judge(key, credentials, file)) ?? Task.FromResult<AuthenticationResult>(Busy);
    }

    private AuthenticationResult Judge(CredentialKey key, BasicCredentials credentials, HtpasswdFile file)
    {
        try
        {
            var hash = file.Find(credentials.UserName);
            if (hash is not null && hasher.Matches(hash, credentials.Password))
            {
                var state = _states.GetValue(hash, _ => StateOf(credentials.UserName, hash));
                var accepted = new AuthenticationResult.Accepted(
                    new Principal { Subject = state.Subject, Evidence = state.Evidence });
                cache.Add(key, accepted); // before this ends: every caller finds one or the other
                return accepted;
            }

            foreach (var item in file.FailureWorkFor(hash))
            {
                hasher.Spend(item, credentials.Password);
            }

            return Refusal(hash);
        }
        catch (CryptographicException exception)
        {
            Log.HashFailed(logger, exception.Message);
            return Failed; // no memory for yescrypt, say: neither a yes nor a no
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1004, LogLevel.Error,
            "The gateway could not verify a password, and told the client to try again. {Problem}")]
        public static partial void HashFailed(ILogger logger, string problem);
    }
}
