using System.CommandLine;
using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Host.Control;

namespace Gateway.Commands;

/// <summary>
/// <c>gateway user reload [--accept]</c>: makes the running gateway on this machine read its users again.
/// </summary>
internal static class UserReloadCommand
{
    /// <summary>Makes the command.</summary>
    /// <param name="file">The <c>--file</c> option of the commands beside it, which has no meaning here.</param>
    /// <param name="config">Their <c>--config</c>.</param>
    public static Command Create(Option<FileInfo?> file, Option<FileInfo> config)
    {
        var accept = new Option<bool>("--accept")
        {
            Description = "Accepts the file even if it lacks more users than "
                + "authentication.htpasswd.maximumLossPercent allows.",
        };
        var command = new Command(
            "reload",
            "Makes the running gateway on this machine read the file now, and reports whether it is "
                + "in force.") { accept };
        command.SetAction((result, cancellationToken) => result.GetValue(file) is null
            ? RunAsync(
                result.GetRequiredValue(config), result.GetValue(accept), result.InvocationConfiguration,
                cancellationToken)
            : Task.FromResult(ProblemReport.Write(result.InvocationConfiguration.Error,
                [new Problem(
                    "--file", "the running gateway reads the file that its configuration names", null,
                    "Leave this option out.")])));
        return command;
    }

    private static async Task<int> RunAsync(
        FileInfo config, bool isAccepted, InvocationConfiguration console, CancellationToken cancellationToken)
    {
        try
        {
            var options = ConfigOption.Load(config);
            var path = options.Authentication.Htpasswd?.File ?? throw new ProblemException(new Problem(
                config.FullName, "authentication.htpasswd.file: not set", null,
                "Set it: without it there is no file of users to read."));
            using var audit = isAccepted
                ? options.BeginAudit("user reload --accept", path, TimeProvider.System, console.Error.WriteLine)
                : null;
            var standing = await RunningFiles.ReloadUsersAsync(options, isAccepted, cancellationToken);
            if (standing.Problems.Count == 0)
            {
                await console.Output.WriteLineAsync($"{path} is in force.");
                return 0;
            }

            foreach (var problem in standing.Problems)
            {
                await console.Error.WriteLineAsync(problem);
            }

            await console.Error.WriteLineAsync($"The users loaded at {standing.LoadedAt:u} stay in force.");
            return 1;
        }
        catch (ProblemException exception)
        {
            return ProblemReport.Write(console.Error, exception.Problems);
        }
    }
}
