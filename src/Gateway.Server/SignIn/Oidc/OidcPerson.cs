namespace Gateway.Server.SignIn.Oidc;

/// <summary>Whom a provider means, in this gateway's terms.</summary>
/// <param name="ProviderSubject"><c>sub</c>.</param>
/// <param name="Name">The name here.</param>
/// <param name="Groups">By their names here, sorted.</param>
/// <param name="Claims">Those that policies see.</param>
internal sealed record OidcPerson(
    string ProviderSubject, string Name, IReadOnlyList<string> Groups, IReadOnlyDictionary<string, string> Claims);
