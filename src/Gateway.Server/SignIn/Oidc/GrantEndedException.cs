namespace Gateway.Server.SignIn.Oidc;

/// <summary>
/// A provider says that a grant is over: the person is disabled or signed out everywhere, or the grant has expired.
/// </summary>
internal sealed class GrantEndedException(string reason) : Exception(reason);
