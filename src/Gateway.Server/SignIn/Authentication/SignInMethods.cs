using System.Diagnostics.CodeAnalysis;
using Gateway.Core.Authorization;
using Gateway.Foundation.Caching;
using Gateway.Server.SignIn.ClientCertificates;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>The methods of sign-in in their order, and whose a name is where several know it.</summary>
/// <remarks>
/// Policies name users, not methods: anyone who proves the name <c>alice</c> has what policy grants <c>user:alice</c>.
/// So a second source must not be able to make another <c>alice</c>. The order says who owns a name, and that a source
/// cannot be asked never gives its names to the next one.
/// </remarks>
internal sealed class SignInMethods
{
    /// <summary>What separates a source from a name: <c>corp/alice</c>. No user name holds it.</summary>
    public const char SourceSeparator = '/';

    private const int RememberedNames = 100_000;

    private readonly List<ISubjectSource> _sources;
    private readonly Dictionary<string, ICredentialVerifier> _bySource;
    private readonly NameCollisions _collisions;

    // Names of which every earlier source has said that it does not know them; so that an unavailable one does not keep
    // out users it never knew.
    private readonly BoundedCache<string, string> _owned = new(RememberedNames);

    public SignInMethods(
        IEnumerable<ICredentialVerifier> verifiers, IEnumerable<ISubjectSource> sources, AuthenticationOptions options)
    {
        Verifiers = Sort(verifiers, static verifier => verifier.Method, options.Order);
        _sources = Sort(sources, static source => source.Method, options.Order);
        _bySource = Verifiers.ToDictionary(static verifier => SourceOf(verifier.Method));
        _collisions = options.Collisions;
    }

    /// <summary>Puts methods into their order. What it leaves out comes after it, as it was added.</summary>
    /// <param name="methods">The methods.</param>
    /// <param name="nameOf">The name of each.</param>
    /// <param name="order">See <see cref="AuthenticationOptions.Order"/>.</param>
    public static List<T> Sort<T>(IEnumerable<T> methods, Func<T, string> nameOf, List<string> order) =>
        [.. methods.OrderBy(method => RankOf(nameOf(method), order))];

    /// <summary>The methods that take a user name and password, in their order.</summary>
    public IReadOnlyList<ICredentialVerifier> Verifiers { get; }

    /// <summary>
    /// What a caller writes before the name to ask one method alone: <c>corp</c> for <c>ldap:corp</c>.
    /// </summary>
    public static string SourceOf(string method) => method[(method.IndexOf(':', StringComparison.Ordinal) + 1)..];

    /// <summary>Takes <c>corp/alice</c> apart.</summary>
    /// <param name="userName">Untrusted.</param>
    /// <param name="verifier">The method that is meant; <see langword="null"/>: there is none of that name.</param>
    /// <param name="name">What follows the separator.</param>
    /// <returns><see langword="false"/> where no source is named, and every method may be asked.</returns>
    public bool TrySplit(string userName, out ICredentialVerifier? verifier, [NotNullWhen(true)] out string? name)
    {
        var separator = userName.IndexOf(SourceSeparator, StringComparison.Ordinal);
        verifier = separator < 0 ? null : _bySource.GetValueOrDefault(userName[..separator]);
        name = separator < 0 ? null : userName[(separator + 1)..];
        return separator >= 0;
    }

    /// <summary>Whether the name of a user whom a method accepted belongs to that method.</summary>
    /// <param name="accepted">What the method said.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>The same, or why they are refused, or that this cannot be decided.</returns>
    public async ValueTask<AuthenticationResult> ConfirmNameAsync(
        AuthenticationResult.Accepted accepted, CancellationToken cancellationToken)
    {
        var subject = accepted.Principal.Subject;
        if (_collisions == NameCollisions.Same || subject.Kind != SubjectKind.User)
        {
            return accepted;
        }

        string? undecided = null;
        foreach (var source in _sources)
        {
            if (source.Method == subject.Method)
            {
                break; // those behind it do not matter
            }

            switch (await source.ResolveAsync(subject.Name, cancellationToken))
            {
                case SubjectState.Current or SubjectState.Gone { IsNameTaken: true }:
                    return new AuthenticationResult.Refused(
                        $"{source.Method}, which comes before {subject.Method}, knows the name too",
                        $"the name \"{subject.Name}\" belongs to another source here ({source.Method}), which comes "
                        + $"before {subject.Method}; ask the operator of this registry to rename one of the two, or to "
                        + "set authentication.collisions");
                case SubjectState.Undecided cause:
                    undecided ??= $"{source.Method} could not say whether it knows the name too: {cause.Reason}";
                    break;
            }
        }

        var isOwned = _owned.TryGet(subject.Name, out var owner) && owner == subject.Method;
        if (undecided is not null)
        {
            return isOwned ? accepted : new AuthenticationResult.Undecided(undecided);
        }

        if (!isOwned)
        {
            _owned.Add(subject.Name, subject.Method, static _ => false);
        }

        return accepted;
    }

    // Certificates come last in any case: nobody can be asked whom they name.
    private static int RankOf(string name, List<string> order)
    {
        if (name == CertificateSubjectReader.Method)
        {
            return int.MaxValue;
        }

        var index = order.IndexOf(name);
        return index < 0 ? order.Count : index;
    }
}
