using System.Diagnostics;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Host.Telemetry;

/// <summary>All that the host knows of traces and of what is sent to a collector.</summary>
internal static class TelemetryServiceExtensions
{
    /// <summary>Registers it where <c>telemetry.otlp</c> is there.</summary>
    public static IServiceCollection AddTelemetry(this IServiceCollection services, GatewayOptions options)
    {
        // The server's own reading of traceparent and baggage, also where no trace is made.
        services.AddSingleton<DistributedContextPropagator, TraceContext>();
        if (options.Telemetry.Otlp is { } otlp)
        {
            services.AddHostedService(provider => new TelemetryExport(
                otlp, provider.GetRequiredService<ILogger<TelemetryExport>>()));
        }

        return services;
    }

    /// <summary>Describes requests in their spans. Place it first.</summary>
    public static void UseTracing(this IApplicationBuilder app)
    {
        if (app.ApplicationServices.GetRequiredService<GatewayOptions>().Telemetry.MakesTraces)
        {
            app.UseMiddleware<TracingMiddleware>();
        }
    }
}
