using Gateway.Server.Tokens.Credentials;
namespace Gateway.Server.Tokens.Service;

/// <summary>All that the host knows of the token endpoint.</summary>
internal static class TokenEndpointExtensions
{
    /// <summary>Registers what answers token requests.</summary>
    public static IServiceCollection AddTokenEndpoint(this IServiceCollection services) => services
        .AddSingleton<TokenGranter>()
        .AddSingleton<RefreshTokens>()
        .AddSingleton<WorkloadExchange>()
        .AddSingleton<TokenService>();

    /// <summary>Serves the token endpoint: its own credentials, its own errors.</summary>
    public static void UseTokenEndpoint(this IApplicationBuilder app) => app.UseMiddleware<TokenMiddleware>();
}
