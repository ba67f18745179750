using Microsoft.Extensions.Logging.Console;

namespace Gateway.Server.Host.Hosting;

/// <summary>The program's log on standard output.</summary>
internal static class LogExtensions
{
    public static void AddGatewayLog(this ILoggingBuilder logging, LogOptions options)
    {
        logging.SetMinimumLevel(options.Level);
        // The framework's own entries carry targets and queries, and one warning a failed request is enough.
        logging.AddFilter("Microsoft", LogLevel.Warning);
        // What anyone puts into the answer of a sign-in, as it is; the pages have a line of their own (1073).
        logging.AddFilter("Microsoft.AspNetCore.Authentication", LogLevel.None);
        logging.AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning);
        // It says nothing from Warning on; but while it might, the server makes a span and a scope for each request.
        logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        logging.AddFilter("Yarp", LogLevel.Error);
        if (options.Format == LogFormat.Json)
        {
            logging.AddJsonConsole(static console =>
            {
                console.UseUtcTimestamp = true;
                console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ";
            });
        }
        else
        {
            logging.AddSimpleConsole(static console =>
            {
                console.SingleLine = true;
                console.UseUtcTimestamp = true;
                console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
                console.ColorBehavior = LoggerColorBehavior.Disabled;
            });
        }

        // The console's own provider writes; what the program is given comes before it.
        logging.Services.Remove(
            logging.Services.Single(static service => service.ImplementationType == typeof(ConsoleLoggerProvider)));
        logging.Services.AddSingleton<ConsoleLoggerProvider>();
        logging.Services.AddSingleton<ILoggerProvider>(static provider => new EventFilterProvider(
            provider.GetRequiredService<ConsoleLoggerProvider>(), provider.GetRequiredService<TimeProvider>()));
    }
}
