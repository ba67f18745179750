namespace Gateway.Server.SignIn.Oidc;

/// <summary>What a provider's token endpoint gave.</summary>
/// <param name="AccessToken">For its userinfo endpoint.</param>
/// <param name="IdToken">Unverified; <see langword="null"/> where a refresh gave none.</param>
/// <param name="RefreshToken">The next one; <see langword="null"/>: none, or the old one stays.</param>
internal sealed record OidcTokens(string AccessToken, string? IdToken, string? RefreshToken)
{
    /// <summary>Never a token.</summary>
    public override string ToString() => "***";
}
