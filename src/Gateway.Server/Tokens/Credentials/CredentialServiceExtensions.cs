using Gateway.Server.SignIn.Authentication;

namespace Gateway.Server.Tokens.Credentials;

/// <summary>All that the host knows of personal and robot tokens.</summary>
internal static class CredentialServiceExtensions
{
    /// <summary>Adds their verifier, their service and its API. The store comes with the state.</summary>
    public static IServiceCollection AddIssuedCredentials(this IServiceCollection services)
    {
        services.AddSingleton<IIssuedCredentials, IssuedCredentialVerifier>();
        services.AddSingleton<CredentialService>();
        services.AddSingleton<Administrators>();
        services.AddSingleton<TokenResource>();
        services.AddSingleton<TokenApi>();
        return services;
    }

    /// <summary>Maps <c>/api/</c>.</summary>
    public static void MapTokenApi(this IEndpointRouteBuilder endpoints)
    {
        var api = endpoints.ServiceProvider.GetRequiredService<TokenApi>();
        endpoints.Map("/api/{**path}", api.HandleAsync);
    }
}
