using Microsoft.Extensions.Logging.Console;

namespace Gateway.Hosting;

/// <summary>The program's log on standard output.</summary>
internal static class LogExtensions
{
    public static void AddGatewayLog(this ILoggingBuilder logging, LogOptions options)
    {
        logging.SetMinimumLevel(options.Level);
        // The framework's own entries carry targets and queries, and one warning a failed request is enough.
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning);
        logging.AddFilter("Yarp", LogLevel.Error);
        // It warns of each key that is made without tokens.keys.password ("No XML encryptor configured"). That is no mishap but
        // a setting, which docs/keys.md explains: the keys lie in a folder that only the gateway reads.
        logging.AddFilter("Microsoft.AspNetCore.DataProtection.KeyManagement.XmlKeyManager", LogLevel.Error);
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
    }
}
