using Gateway.Core.Tokens;

namespace Gateway.Server.Requests.Pipeline;

/// <summary>What a token request came to, for records.</summary>
/// <param name="Asked">The access asked for.</param>
/// <param name="Granted">The access that the token holds.</param>
/// <param name="HasRefreshToken">Whether a refresh token was given along.</param>
internal sealed record TokenGrant(AccessScope Asked, AccessScope Granted, bool HasRefreshToken);
