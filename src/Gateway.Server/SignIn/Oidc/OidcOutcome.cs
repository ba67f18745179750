using Gateway.Server.SignIn.Issuers;

namespace Gateway.Server.SignIn.Oidc;

/// <summary>The result of a sign-in at a provider; left in the request's features for the pages.</summary>
internal abstract record OidcOutcome
{
    /// <summary>The provider says who it is. Whether they may come in is judged elsewhere.</summary>
    /// <param name="Person">The person.</param>
    /// <param name="SessionId">The provider's session (<c>sid</c>).</param>
    /// <param name="RefreshToken">With which it can be asked later.</param>
    /// <param name="ReturnTo">Where the sign-in was started.</param>
    internal sealed record SignedIn(OidcPerson Person, string? SessionId, string? RefreshToken, string? ReturnTo)
        : OidcOutcome
    {
        /// <summary>Never a token.</summary>
        public override string ToString() => Person.Name;
    }

    /// <summary>It failed.</summary>
    /// <param name="Failure">
    /// An <see cref="OidcException"/> or an <see cref="IssuerException"/>; anything else: the answer is not one
    /// to a sign-in that was started in this browser.
    /// </param>
    internal sealed record Failed(Exception? Failure) : OidcOutcome;
}
