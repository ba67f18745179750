using System.CommandLine;
using Gateway.Configuration;
using Gateway.Hosting;

namespace Gateway.Commands;

/// <summary><c>gateway serve --config FILE</c>: runs the gateway until it is told to stop.</summary>
internal static partial class ServeCommand
{
    // Not that of a wrong configuration: what holds the port may be gone at the next start.
    private const int CannotListen = 1;

    public static Command Create()
    {
        var config = ConfigOption.Create();
        var command = new Command("serve", "Runs the gateway.") { config };
        command.SetAction((result, cancellationToken) =>
            RunAsync(result.GetRequiredValue(config), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(FileInfo config, CancellationToken cancellationToken)
    {
        WebApplication app;
        GatewayOptions options;
        try
        {
            options = ConfigOption.Load(config);
            if (ListenerProbe.FindProblems(options.Listen, config.FullName) is { Count: > 0 } problems)
            {
                var others = ConfigurationCheck.Run(options);
                return ConfigOption.Report(
                    Console.Error, [.. others, .. problems], others.Count > 0 ? GatewayCommand.ConfigurationProblem : CannotListen);
            }

            app = GatewayHost.Build(options);
        }
        catch (ProblemException exception)
        {
            return ConfigOption.Report(exception);
        }

        await using (app)
        {
            try
            {
                await app.StartAsync(cancellationToken);
            }
            catch (ProblemException exception)
            {
                return ConfigOption.Report(exception); // keys in Redis that the password does not open
            }
            catch (IOException exception)
            {
                // Taken between the look at it and now. Kestrel's own words name the address, not the setting.
                return ConfigOption.Report(
                    Console.Error,
                    [
                        new Problem(
                            config.FullName, "listen: the gateway cannot listen", exception.Message,
                            "Stop what uses the port, or change listen.https, listen.http or listen.management."),
                    ],
                    CannotListen);
            }

            Log.Serving(app.Logger, options.PublicUrl!, options.Listen.Https);
            await app.WaitForShutdownAsync(cancellationToken);
            return 0;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1801, LogLevel.Information, "Serving {PublicUrl} on {Address}.")]
        public static partial void Serving(ILogger logger, Uri publicUrl, string address);
    }
}
