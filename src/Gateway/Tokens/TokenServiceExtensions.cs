namespace Gateway.Tokens;

/// <summary>All that the host knows of the token service.</summary>
internal static class TokenServiceExtensions
{
    /// <summary>Registers what answers token requests.</summary>
    public static IServiceCollection AddTokenService(this IServiceCollection services) => services
        .AddSingleton<TokenGranter>()
        .AddSingleton<RefreshTokens>()
        .AddSingleton<TokenService>();
}
