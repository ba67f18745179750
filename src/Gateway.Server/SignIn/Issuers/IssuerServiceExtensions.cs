namespace Gateway.Server.SignIn.Issuers;

/// <summary>What the host knows of outside issuers. Those that use one add its <see cref="IssuerMetadata"/>.</summary>
internal static class IssuerServiceExtensions
{
    /// <summary>Adds the verifier of ID tokens, and what keeps the issuers' keys fresh.</summary>
    public static IServiceCollection AddIssuers(this IServiceCollection services)
    {
        services.AddSingleton<IdTokenVerifier>();
        services.AddHostedService<IssuerWatch>();
        return services;
    }
}
