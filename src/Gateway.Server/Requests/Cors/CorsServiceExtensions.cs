using Gateway.Server.Requests.Routing;

namespace Gateway.Server.Requests.Cors;

/// <summary>All that the host knows of CORS (Fetch standard, "HTTP extensions").</summary>
internal static class CorsServiceExtensions
{
    /// <summary>Registers the one policy there is; nothing where no origin is configured.</summary>
    public static IServiceCollection AddGatewayCors(this IServiceCollection services, CorsOptions cors)
    {
        if (cors.Origins.Count == 0)
        {
            return services;
        }

        var origins = new AllowedOrigins(cors.Origins);
        services.AddSingleton(cors);
        services.AddSingleton(origins);
        return services.AddCors(setup => setup.AddDefaultPolicy(policy =>
        {
            policy.WithMethods([.. cors.Methods])
                .WithHeaders([.. cors.Headers])
                .WithExposedHeaders([.. cors.ExposedHeaders])
                .SetPreflightMaxAge(cors.MaxAge);
            if (origins.IncludesEvery)
            {
                policy.AllowAnyOrigin();
            }
            else
            {
                // The framework's own wildcard takes the origin apart as a URL; this compares what was sent.
                policy.SetIsOriginAllowed(origins.Contains);
            }

            if (cors.Credentials)
            {
                policy.AllowCredentials();
            }
        }));
    }

    /// <summary>
    /// Answers preflights, and puts the headers on every other answer as it starts: an error clears whatever was
    /// prepared before it. Where no origin is configured there is no such step.
    /// </summary>
    public static void UseGatewayCors(this IApplicationBuilder app)
    {
        if (app.ApplicationServices.GetService<AllowedOrigins>() is not null)
        {
            app.UseWhen(
                static context => IsForPages(context.Request.Path),
                static branch => branch.UseMiddleware<CrossOriginMiddleware>().UseCors());
        }
    }

    // What a UI needs. Health, keys and whatever comes later stay closed unless they are added here.
    private static bool IsForPages(PathString path) =>
        path.StartsWithSegments("/v2", StringComparison.Ordinal)
        || path.StartsWithSegments("/api", StringComparison.Ordinal)
        || path.Value == GatewayPaths.Token;
}
