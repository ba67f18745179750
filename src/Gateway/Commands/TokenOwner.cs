using Gateway.Core.Authorization;
using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Configuration;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.SignIn.Oidc;
using Gateway.Server.Store.Identities;
using Gateway.Server.Tokens.Credentials;

namespace Gateway.Commands;

/// <summary>Whose a personal token is to be, and what it is bound to.</summary>
/// <param name="Subject">The user, with the method that is asked for them at each use.</param>
/// <param name="Evidence">As a token that they make themselves has it; <see langword="null"/>: the name alone says whose it is.</param>
/// <param name="Note">What the operator should know; <see langword="null"/>: nothing.</param>
internal sealed record TokenOwner(Subject Subject, string? Evidence = null, string? Note = null)
{
    /// <summary>Finds the user of a whole name. A name is never guessed: what is printed is a secret.</summary>
    /// <param name="options">The configuration.</param>
    /// <param name="stores">The stores, open.</param>
    /// <param name="name">As policies have it: <c>alice</c>, <c>corp/alice</c>.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="ProblemException">There is none; those who are called alike are listed.</exception>
    public static async Task<TokenOwner> FindUserAsync(
        GatewayOptions options, CommandStores stores, string name, CancellationToken cancellationToken)
    {
        var authentication = options.Authentication;
        if (AuthenticationServiceExtensions.LoadUsers(authentication).Find(name) is not null)
        {
            return new TokenOwner(CredentialOwner.User(name));
        }

        // Before the directories: at their sign-in nobody before the provider knew the name.
        foreach (var provider in authentication.Oidc.Keys.Order(StringComparer.Ordinal))
        {
            if (await stores.Identities.FindAsync("oidc:" + provider, name, cancellationToken) is { } identity)
            {
                return identity.Ended is null
                    ? new TokenOwner(identity.ToSubject(), OidcIdentities.EvidenceOf(identity))
                    : throw new ProblemException(new Problem(
                        "--user", $"oidc:{provider} no longer confirms them: {identity.Ended}", name, "Let them sign in again first."));
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
                Note: $"Whether the directory {only} has a \"{name}\" was not asked; without one the token is refused.");
        }

        if (directories.Count > 1)
        {
            throw new ProblemException(new Problem(
                "--user", $"several directories may have them ({string.Join(", ", directories)})", name,
                "Let them make the token themselves, or give the directories names of their own: names: qualified."));
        }

        var like = (await KnownSubjects.FindLikeAsync(options, stores, name, cancellationToken))
            .Where(static one => one.StartsWith("user:", StringComparison.Ordinal) && one.Contains(SignInMethods.SourceSeparator))
            .Select(static one => one["user:".Length..])
            .ToList();
        throw new ProblemException(new Problem(
            "--user",
            $"no such user in {authentication.Htpasswd?.File ?? "any htpasswd file"}"
            + (authentication.Oidc.Count > 0 ? ", and nobody of that name signed in by a provider" : ""),
            name,
            like.Count > 0
                ? $"{KnownSubjects.Describe(like)} Write one of them whole."
                : "See their exact names, upper and lower case: gateway user list."));
    }
}
