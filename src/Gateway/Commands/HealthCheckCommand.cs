using System.CommandLine;
using System.Net;
using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Host.Hosting;

namespace Gateway.Commands;

/// <summary><c>gateway healthcheck</c>: queries the management listener, for a container's health check.</summary>
internal static class HealthCheckCommand
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    public static Command Create()
    {
        var config = ConfigOption.Create();
        var command = new Command(
            "healthcheck", "Checks whether the running gateway is alive; exit code 0 if it is.") { config };
        command.SetAction((result, cancellationToken) => RunAsync(result.GetRequiredValue(config), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(FileInfo config, CancellationToken cancellationToken)
    {
        GatewayOptions options;
        try
        {
            options = ConfigOption.Load(config);
        }
        catch (ProblemException exception)
        {
            return ConfigOption.Report(exception);
        }

        if (options.Listen.Management.Length == 0)
        {
            await Console.Error.WriteLineAsync(
                "listen.management is empty (found \"\"). Set it, for example to 127.0.0.1:8081.");
            return ProblemReport.ConfigurationProblem;
        }

        var address = ListenAddress.Parse(options.Listen.Management);
        var host = IsAny(address.Address) ? IPAddress.Loopback : address.Address!;
        using var client = new HttpClient { Timeout = Timeout };
        var url = new UriBuilder("http", host.ToString(), address.Port, "/healthz").Uri;
        try
        {
            using var answer = await client.GetAsync(url, cancellationToken);
            return answer.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException)
        {
            await Console.Error.WriteLineAsync(
                $"{url} does not answer (found \"{exception.Message}\"). See whether the gateway is running.");
            return 1;
        }
    }

    private static bool IsAny(IPAddress? address) =>
        address is null || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);
}
