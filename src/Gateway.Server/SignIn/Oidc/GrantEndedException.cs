namespace Gateway.Server.SignIn.Oidc;

/// <summary>A provider said that a grant is over: the person is disabled, signed out everywhere, or it has run out.</summary>
internal sealed class GrantEndedException(string reason) : Exception(reason);
