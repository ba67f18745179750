using System.CommandLine;
using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Host.Control;
using Gateway.Server.Host.Hosting;
using Gateway.Server.Requests.Reloading;

namespace Gateway.Commands;

/// <summary><c>gateway serve --config FILE</c>: runs the gateway until it is stopped.</summary>
internal static partial class ServeCommand
{
    // Not the code of a wrong configuration: the port may be free at the next start.
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
                return ProblemReport.Write(
                    Console.Error, [.. others, .. problems],
                    others.Count > 0 ? ProblemReport.ConfigurationProblem : CannotListen);
            }

            app = GatewayHost.Build(options);
            LoadedMemory.Collect(); // before anything listens: nobody waits for it
        }
        catch (ProblemException exception)
        {
            return ConfigOption.Report(exception);
        }

        await using (app)
        {
            return await RunAsync(app, options, config, Console.Error, cancellationToken);
        }
    }

    /// <summary>Starts a gateway and waits for its end.</summary>
    /// <param name="app">The gateway, built.</param>
    /// <param name="options">Its configuration.</param>
    /// <param name="config">The configuration file.</param>
    /// <param name="error">Receives one line for each reason why it cannot start.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The exit code.</returns>
    internal static async Task<int> RunAsync(
        WebApplication app,
        GatewayOptions options,
        FileInfo config,
        TextWriter error,
        CancellationToken cancellationToken)
    {
        if (await StartAsync(app, options, config, error, cancellationToken) is { } exitCode)
        {
            // Stop what has started: a background service that is only disposed of prints a stack trace.
            await app.StopAsync(CancellationToken.None);
            return exitCode;
        }

        Log.Serving(app.Logger, options.PublicUrl!, options.Listen.Https);
        await app.WaitForShutdownAsync(cancellationToken);
        return 0;
    }

    // The exit code where it did not start.
    private static async Task<int?> StartAsync(
        WebApplication app,
        GatewayOptions options,
        FileInfo config,
        TextWriter error,
        CancellationToken cancellationToken)
    {
        try
        {
            await app.StartAsync(cancellationToken);
            return null;
        }
        catch (ProblemException exception)
        {
            return ProblemReport.Write(error, exception.Problems); // keys in Redis that the password does not decrypt
        }
        catch (IOException exception)
        {
            // The port was taken after the check. Kestrel's message names the address, not the setting.
            var problem = exception.Message.Contains(ControlSocket.PathOf(options), StringComparison.Ordinal)
                ? new Problem(
                    config.FullName, "state.folder: the gateway cannot listen on its control socket", exception.Message,
                    "Stop the other gateway that uses this folder, or set state.folder to another folder.")
                : new Problem(
                    config.FullName, "listen: the gateway cannot listen", exception.Message,
                    "Stop the program that uses the port, or change listen.https, listen.http or listen.management.");
            return ProblemReport.Write(error, [problem], CannotListen);
        }
        catch (OperationCanceledException) when (app.Lifetime.ApplicationStopping.IsCancellationRequested)
        {
            return 0; // stopped before it was ready
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1801, LogLevel.Information, "Serving {PublicUrl} on {Address}.")]
        public static partial void Serving(ILogger logger, Uri publicUrl, string address);
    }
}
