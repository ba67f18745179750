using Gateway.Core.Authorization;
using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Configuration;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.SignIn.Oidc;
using Gateway.Server.Store.Identities;
using Gateway.Server.Tokens.Credentials;

namespace Gateway.Commands;

/// <summary>The owner of a personal token that is created, and what the token is bound to.</summary>
/// <param name="Subject">The user, with the method that must confirm them at each use.</param>
/// <param name="Evidence">
/// As in a token that they create themselves; <see langword="null"/>: the name alone decides.
/// </param>
/// <param name="Note">A note for the operator, or <see langword="null"/>.</param>
internal sealed record TokenOwner(Subject Subject, string? Evidence = null, string? Note = null)
{
    /// <summary>Finds the user with a full name. A name is never guessed: the command prints a secret.</summary>
    /// <param name="options">The configuration.</param>
    /// <param name="stores">The stores, open.</param>
    /// <param name="name">As in policies: <c>alice</c>, <c>corp/alice</c>.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="ProblemException">There is no such user; those with similar names are listed.</exception>
    public static async Task<TokenOwner> FindUserAsync(
        GatewayOptions options, CommandStores stores, string name, CancellationToken cancellationToken)
    {
        var authentication = options.Authentication;
        if (AuthenticationServiceExtensions.LoadUsers(authentication).Find(name) is not null)
        {
            return new TokenOwner(CredentialOwner.User(name));
        }

        // Before the directories: when they signed in, no source before the provider knew the name.
        foreach (var provider in authentication.Oidc.Keys.Order(StringComparer.Ordinal))
        {
            if (await stores.Identities.FindAsync("oidc:" + provider, name, cancellationToken) is { } identity)
            {
                return identity.Ended is null
                    ? new TokenOwner(identity.ToSubject(), OidcIdentities.EvidenceOf(identity))
                    : throw new ProblemException(new Problem(
                        "--user", $"oidc:{provider} no longer confirms them: {identity.Ended}", name,
                        "Ask them to sign in again first."));
            }
        }

        if (KnownSubjects.FindQualifiedLdap(options, name) is { } qualified)
        {
            return new TokenOwner(qualified);
        }

        var directories = !UserName.IsValid(name) ? [] : authentication.Ldap
            .Where(static ldap => ldap.Value.Names != NameForm.Qualified)
            .Select(static ldap => ldap.Key)
            .Order(StringComparer.Ordinal)
            .ToList();
        if (directories is [var only])
        {
            return new TokenOwner(
                new Subject { Kind = SubjectKind.User, Name = name, Method = "ldap:" + only },
                Note: $"The directory {only} was not asked whether it has \"{name}\"; if not, the token "
                    + "is refused.");
        }

        if (directories.Count > 1)
        {
            throw new ProblemException(new Problem(
                "--user", $"several directories may have this user ({string.Join(", ", directories)})", name,
                "Ask them to create the token themselves, or set names: qualified for the directories."));
        }

        var like = (await KnownSubjects.FindLikeAsync(options, stores, name, cancellationToken))
            .Where(
                static one => one.StartsWith("user:", StringComparison.Ordinal)
                    && one.Contains(SignInMethods.SourceSeparator))
            .Select(static one => one["user:".Length..])
            .ToList();
        throw new ProblemException(new Problem(
            "--user",
            $"no such user in {authentication.Htpasswd?.File ?? "any htpasswd file"}"
            + (authentication.Oidc.Count > 0 ? ", and nobody with that name signed in through a provider" : ""),
            name,
            like.Count > 0
                ? $"{KnownSubjects.Describe(like)} Write one of these names in full."
                : "List the exact names, with upper and lower case: gateway user list."));
    }
}
