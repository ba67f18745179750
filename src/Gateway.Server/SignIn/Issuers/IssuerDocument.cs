using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Server.SignIn.Issuers;

/// <summary>What an issuer says of itself, and the keys that it signs with.</summary>
/// <param name="Configuration">Its discovery document (OpenID Connect Discovery 1.0, section 3).</param>
/// <param name="Keys">Keys that can verify signatures and are strong enough; others are skipped.</param>
/// <param name="FetchedAt">When it was read, by the clock that never goes back.</param>
internal sealed record IssuerDocument(
    OpenIdConnectConfiguration Configuration, IReadOnlyList<JsonWebKey> Keys, long FetchedAt);
