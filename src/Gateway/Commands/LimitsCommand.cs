using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Host.Control;
using Gateway.Server.Limits.RateLimiting;

namespace Gateway.Commands;

/// <summary><c>gateway limits show|reset SUBJECT</c>: queries the running gateway on this machine.</summary>
internal static class LimitsCommand
{
    private static readonly string[] Titles = ["LIMIT", "COUNTS", "OF", "LEFT", "NEXT IN", "FULL IN", "COUNTED IN"];

    public static Command Create() => new("limits", "Shows and resets how much of their limits callers have used.")
    {
        CreateShow(),
        CreateReset(),
    };

    private static Command CreateShow()
    {
        var config = ConfigOption.Create();
        var json = new Option<bool>("--json") { Description = "Prints JSON." };
        var subject = new Argument<string?>("SUBJECT")
        {
            Description = $"Whose limits: {LimitHolder.Forms}. Default: all limits that are partly used.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new Command("show", "Shows what is left of the limits.") { subject, json, config };
        command.SetAction((result, cancellationToken) => RunAsync(
            HttpMethod.Get,
            result.GetRequiredValue(config),
            result.GetValue(subject),
            (answer, output) =>
            {
                Print(answer, result.GetValue(json), output);
                return true;
            },
            cancellationToken));
        return command;
    }

    private static Command CreateReset()
    {
        var config = ConfigOption.Create();
        var subject = new Argument<string>("SUBJECT") { Description = $"Whose limits: {LimitHolder.Forms}." };
        var command = new Command("reset", "Resets a subject's limits and failed sign-ins.") { subject, config };
        command.SetAction((result, cancellationToken) => RunAsync(
            HttpMethod.Delete,
            result.GetRequiredValue(config),
            result.GetRequiredValue(subject),
            (answer, output) =>
            {
                if (answer.Standings.Count > 0)
                {
                    output.WriteLine($"Reset: {string.Join(", ", answer.Standings.Select(
                        static standing => $"{standing.Limit} of {standing.Of}"))}.");
                    return true;
                }

                Console.Error.WriteLine(
                    $"{result.GetRequiredValue(subject)} has not used any limit, so nothing was reset. See who has: "
                        + "gateway limits show.");
                return false;
            },
            cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        HttpMethod method,
        FileInfo config,
        string? subject,
        Func<LimitReport, TextWriter, bool> print,
        CancellationToken cancellationToken)
    {
        if (subject is not null && !LimitHolder.TryParse(subject, out _))
        {
            await Console.Error.WriteLineAsync(
                $"SUBJECT is not a subject (found \"{subject}\"). Write {LimitHolder.Forms}.");
            return ProblemReport.ConfigurationProblem;
        }

        string path;
        try
        {
            var options = ConfigOption.Load(config);
            path = ControlSocket.PathOf(options);
            if (method == HttpMethod.Delete)
            {
                using var audit = options.BeginAudit(
                    "limits reset", subject, TimeProvider.System, Console.Error.WriteLine);
            }
        }
        catch (ProblemException exception)
        {
            return ConfigOption.Report(exception);
        }

        using var client = ControlSocket.CreateClient(path);
        using var request = new HttpRequestMessage(
            method, LimitsEndpoint.Path + (subject is null ? "" : "?of=" + Uri.EscapeDataString(subject)));
        try
        {
            using var answer = await client.SendAsync(request, cancellationToken);
            var body = await answer.Content.ReadAsStringAsync(cancellationToken);
            if (!answer.IsSuccessStatusCode)
            {
                await Console.Error.WriteLineAsync($"The gateway refused (found \"{body.Trim()}\"). See its log.");
                return 1;
            }

            var report = JsonSerializer.Deserialize(body, LimitJsonContext.Default.LimitReport)!;
            var isDone = print(report, Console.Out);
            if (report.Problem is { } problem)
            {
                await Console.Error.WriteLineAsync(problem);
                return 1;
            }

            return isDone ? 0 : 1;
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException)
        {
            await Console.Error.WriteLineAsync(
                $"{path} does not answer (found \"{exception.Message}\"). "
                + "Run this where the gateway runs, as the user it runs as, with the same configuration.");
            return 1;
        }
    }

    private static void Print(LimitReport report, bool isJson, TextWriter output)
    {
        if (isJson)
        {
            output.WriteLine(JsonSerializer.Serialize(report, LimitJsonContext.Default.LimitReport));
            return;
        }

        if (report.Standings.Count == 0)
        {
            output.WriteLine("No limit is used.");
            return;
        }

        List<string[]> rows = [Titles, .. report.Standings.Select(static one => new[]
        {
            one.Limit, one.Kind, one.Of, string.Create(CultureInfo.InvariantCulture, $"{one.Left}/{one.Burst}"),
            Seconds(one.NextInSeconds), Seconds(one.WholeInSeconds), one.CountedIn,
        })];
        foreach (var line in TextTable.Format(rows))
        {
            output.WriteLine(line);
        }
    }

    private static string Seconds(double seconds) =>
        seconds <= 0 ? "now" : Duration.Format(TimeSpan.FromSeconds(Math.Ceiling(seconds)));
}
