using Gateway.Server.SignIn.Authentication;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Gateway.Server.Tokens.Service;

/// <summary>What the host knows of access tokens.</summary>
internal static class TokensServiceExtensions
{
    /// <summary>Adds <see cref="IAccessTokenIssuer"/> and <see cref="IAccessTokenVerifier"/>.</summary>
    /// <remarks>
    /// Takes the signing keys, <see cref="TokenOptions"/>, the router, <c>SubjectStanding</c>,
    /// <see cref="TimeProvider"/>
    /// and logging from the services.
    /// </remarks>
    public static IServiceCollection AddAccessTokens(this IServiceCollection services)
    {
        services.TryAddSingleton<IAccessTokenIssuer, AccessTokenIssuer>();
        services.TryAddSingleton<IAccessTokenVerifier, AccessTokenVerifier>();
        services.TryAddSingleton<UpstreamTokens>();
        return services;
    }
}
