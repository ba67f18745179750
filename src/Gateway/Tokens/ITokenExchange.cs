using Gateway.Core.Authorization;
using Gateway.Core.Tokens;

namespace Gateway.Tokens;

/// <summary>Exchanges a job's ID token for a secret of its own (RFC 8693).</summary>
internal interface ITokenExchange
{
    /// <summary>Makes the secret, and keeps what it is good for.</summary>
    /// <param name="principal">Whom the ID token stands for.</param>
    /// <param name="asked">What the job asked for; nothing: all that its rule allows.</param>
    /// <param name="granted">What of it may be granted.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="AccessTokenException">It cannot be made, and why.</exception>
    /// <exception cref="State.StateException">It cannot be kept.</exception>
    Task<TokenAnswer> ExchangeAsync(
        Principal principal, AccessScope asked, AccessScope granted, CancellationToken cancellationToken);
}
