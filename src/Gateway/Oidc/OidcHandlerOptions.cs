using Microsoft.AspNetCore.Authentication.OAuth;

namespace Gateway.Oidc;

/// <summary>Options of <see cref="OidcHandler"/>.</summary>
internal sealed class OidcHandlerOptions : OAuthOptions
{
    /// <summary>Whom it signs in by.</summary>
    public OidcProvider Provider { get; set; } = null!;
}
