using Gateway.Core.Authorization;
using Gateway.Server.Requests.Reloading;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.SignIn.Oidc;
using Gateway.Server.Tokens.Service;

namespace Gateway.Server.Tokens.Credentials;

/// <summary>
/// Those who see and revoke everyone's tokens: the subjects of <c>tokens.administrators</c> and providers' admin
/// groups.
/// </summary>
internal sealed class Administrators(
    TokenOptions tokens, AuthenticationOptions authentication, Reloadable<PolicySet> policies)
{
    private readonly SubjectSelectorSet _selected = new(tokens.Administrators.Select(
        static text => SubjectSelector.TryParse(text, out var selector)
            ? selector
            : throw new FormatException("tokens.administrators was not validated")));

    // By the provider's method: a group of the same name from another source is another group.
    private readonly Dictionary<string, string> _groups = authentication.Oidc
        .Where(static provider => provider.Value.AdminGroup is not null)
        .ToDictionary(
            static provider => OidcProvider.MethodOf(provider.Key), static provider => provider.Value.AdminGroup!);

    /// <summary>Whether a subject, as its method knows it now, is one.</summary>
    public bool Include(Subject subject) =>
        policies.Current.IsPicked(subject, _selected)
        || (_groups.TryGetValue(subject.Method, out var group) && subject.Groups.Contains(group));
}
