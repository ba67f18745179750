namespace Gateway.Oidc;

/// <summary>What came of a sign-in: whom the provider means.</summary>
/// <param name="Person">The person.</param>
/// <param name="SessionId">The provider's session.</param>
/// <param name="RefreshToken">By which it can be asked later.</param>
internal sealed record OidcAnswer(OidcPerson Person, string? SessionId, string? RefreshToken)
{
    /// <summary>Never a token.</summary>
    public override string ToString() => Person.Name;
}
