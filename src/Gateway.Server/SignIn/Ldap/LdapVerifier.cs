using Gateway.Core.Authorization;
using Gateway.Foundation.Caching;
using Gateway.Foundation.Text;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.SignIn.Authentication;

namespace Gateway.Server.SignIn.Ldap;

/// <summary>Signs users of one directory in, and says later whether they are still there.</summary>
internal sealed class LdapVerifier : ICredentialVerifier, ISubjectSource, IHealthPart, IDisposable
{
    private const int RememberedStates = 10_000;

    // Never sent: to a directory an empty password is no password at all, and any user's bind succeeds (RFC 4513,
    // section 5.1.2).
    private static readonly AuthenticationResult.Refused EmptyPassword = new("an empty password");
    private static readonly AuthenticationResult.Refused WrongPassword = new("wrong password");

    private static readonly SubjectState.Gone Unknowable = new(
        "the directory cannot be asked for a user without their password",
        "tokens are not possible for users of this directory: it can only be asked with their password (bindDn is not "
            + "set)");

    private readonly LdapDirectory _directory;
    private readonly VerifiedCredentialCache _accepted;
    private readonly TimeSpan _lifetime;
    private readonly string _prefix;
    private readonly TimeProvider _time;
    private readonly SingleFlight<CredentialKey, AuthenticationResult> _signIns = new();
    private readonly SingleFlight<string, SubjectState> _questions = new();
    private readonly BoundedCache<string, Known> _known = new(RememberedStates);

    /// <param name="name">The directory's name in the configuration.</param>
    /// <param name="options">Its options, valid.</param>
    /// <param name="authentication">How long verified passwords are cached, and how many.</param>
    /// <param name="directory">The directory.</param>
    /// <param name="time">The clock.</param>
    public LdapVerifier(
        string name, LdapOptions options, AuthenticationOptions authentication, LdapDirectory directory,
        TimeProvider time)
    {
        Method = "ldap:" + name;
        _directory = directory;
        _lifetime = options.CacheLifetime;
        _prefix = options.Names == NameForm.Qualified ? name + SignInMethods.SourceSeparator : "";
        _time = time;
        var remembered = options.CacheLifetime < authentication.CacheLifetime
            ? options.CacheLifetime
            : authentication.CacheLifetime;
        _accepted = new VerifiedCredentialCache(authentication.CacheSize, remembered, time);
    }

    /// <inheritdoc/>
    public string Method { get; }

    /// <inheritdoc/>
    public string Name => Method;

    /// <inheritdoc/>
    public bool IsUp => _directory.Servers.All(static server => server.IsUp);

    /// <summary>The directory.</summary>
    public LdapDirectory Directory => _directory;

    /// <inheritdoc/>
    public ValueTask<AuthenticationResult> VerifyAsync(
        BasicCredentials credentials, CancellationToken cancellationToken)
    {
        if (credentials.Password.Length == 0)
        {
            return ValueTask.FromResult<AuthenticationResult>(EmptyPassword);
        }

        if (!UserName.IsValid(credentials.UserName))
        {
            // no user here has such a name
            return ValueTask.FromResult<AuthenticationResult>(AuthenticationResult.NotMine.Instance);
        }

        var key = CredentialKey.Derive(Method, credentials, "");
        return _accepted.TryGet(key, out var accepted)
            ? ValueTask.FromResult<AuthenticationResult>(accepted)
            : new ValueTask<AuthenticationResult>(
                _signIns.AskAsync(key, () => SignInAsync(key, credentials), cancellationToken));
    }

    /// <inheritdoc/>
    public AuthenticationResult.Refused? FindFault(Subject subject, string? evidence) =>
        !_known.TryGet(subject.Name, out var known) || IsOld(known) ? null // an access token is good for minutes
        : known.State is not SubjectState.Current current ? SubjectStanding.UserGone
        : evidence is not null && evidence != current.Evidence ? SubjectStanding.PasswordChanged
        : null;

    /// <inheritdoc/>
    public ValueTask<SubjectState> ResolveAsync(string name, CancellationToken cancellationToken)
    {
        if (!name.StartsWith(_prefix, StringComparison.Ordinal) || !UserName.IsValid(name.AsSpan(_prefix.Length)))
        {
            return ValueTask.FromResult<SubjectState>(SubjectState.Gone.Instance);
        }

        if (!_directory.CanSearch)
        {
            return ValueTask.FromResult<SubjectState>(Unknowable);
        }

        return _known.TryGet(name, out var known) && !IsOld(known)
            ? ValueTask.FromResult(known.State)
            : new ValueTask<SubjectState>(_questions.AskAsync(name, () => AskAsync(name), cancellationToken));
    }

    /// <inheritdoc/>
    public void Dispose() => _directory.Dispose();

    private async Task<AuthenticationResult> SignInAsync(CredentialKey key, BasicCredentials credentials)
    {
        try
        {
            var (isKnown, user) = await _directory.CheckAsync(credentials.UserName, credentials.Password);
            if (user is null)
            {
                return isKnown ? WrongPassword : AuthenticationResult.NotMine.Instance;
            }

            if (!UserName.IsValid(user.Name))
            {
                return new AuthenticationResult.Refused(
                    $"the directory's name \"{PrintableName.Of(user.Name)}\" is not a user name here",
                    $"the directory calls you \"{PrintableName.Of(user.Name)}\", which is not a user "
                    + $"name here. {UserName.Rule}");
            }

            var state = Remember(_prefix + user.Name, user);
            var accepted = new AuthenticationResult.Accepted(
                new Principal { Subject = state.Subject, Evidence = state.Evidence });
            _accepted.Add(key, accepted); // before the flight ends: every caller finds one or the other
            return accepted;
        }
        catch (LdapUnavailableException exception)
        {
            return new AuthenticationResult.Undecided($"{Method}: {exception.Message}");
        }
    }

    private async Task<SubjectState> AskAsync(string name)
    {
        try
        {
            var user = await _directory.FindAsync(name[_prefix.Length..]);

            // The exact name: another spelling in the directory is another name here.
            if (user is not null && _prefix + user.Name == name)
            {
                return Remember(name, user);
            }

            Remember(name, SubjectState.Gone.Instance);
            return SubjectState.Gone.Instance;
        }
        catch (LdapUnavailableException exception)
        {
            return new SubjectState.Undecided($"{Method}: {exception.Message}");
        }
    }

    private SubjectState.Current Remember(string name, LdapUser user)
    {
        // The same instance while nothing changed: policy works out a subject's groups once for each.
        if (_known.TryGet(name, out var known) && known.State is SubjectState.Current same
            && same.Evidence == user.Evidence
            && same.Subject.Groups.SequenceEqual(user.Groups)
            && same.Subject.Claims.Count == user.Claims.Count
            && same.Subject.Claims.All(
                claim => user.Claims.TryGetValue(claim.Key, out var value) && value == claim.Value))
        {
            Remember(name, same);
            return same;
        }

        var state = new SubjectState.Current(
            new Subject
            {
                Kind = SubjectKind.User,
                Name = name,
                Method = Method,
                Groups = user.Groups,
                Claims = user.Claims,
            },
            user.Evidence);
        Remember(name, state);
        return state;
    }

    private void Remember(string name, SubjectState state) =>
        _known.Add(name, new Known(state, _time.GetTimestamp()), IsOld);

    private bool IsOld(Known known) => _time.GetElapsedTime(known.Since) >= _lifetime;

    private sealed record Known(SubjectState State, long Since);
}
