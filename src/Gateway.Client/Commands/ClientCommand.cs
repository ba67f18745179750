using System.CommandLine;
using System.CommandLine.Help;
using Gateway.Client.Doctor;

namespace Gateway.Client.Commands;

/// <summary>What the <c>gateway</c> command can do on people's machines, where there is no server.</summary>
internal static class ClientCommand
{
    // Those that open connections or read certificates. The others work on every machine.
    private static readonly string[] WithTls = ["doctor", "trust", "login"];

    /// <summary>The list of its subcommands.</summary>
    public static RootCommand Create() => new(
        "The part of the registry gateway for people's machines: sign-in for docker, and what is wrong. The server's "
            + "own commands are where it is installed.")
    {
        DoctorCommand.Create(),
        TrustCommand.Create(),
        LoginCommand.CreateLogin(),
        LoginCommand.CreateLogout(),
        LoginCommand.CreateHelper(),
    };

    /// <summary>Runs one.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="findProblem">What is missing on this machine for TLS; <see langword="null"/> if nothing is.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(string[] arguments, Func<string?> findProblem)
    {
        var result = Create().Parse(arguments);
        var error = result.InvocationConfiguration.Error;
        if (result.CommandResult.Command is RootCommand && result.UnmatchedTokens is [var unknown, ..])
        {
            await error.WriteLineAsync(
                $"gateway: this program is for people's machines and has no such command (found "
                    + $"\"{DoctorText.OneLine(unknown)}\"). See gateway --help; the server's own commands run where "
                    + "it is installed.");
            return 1;
        }

        var needsTls = result.Action is not null and not HelpAction
            && result.Errors.Count == 0
            && WithTls.Contains(result.CommandResult.Command.Name);
        if (needsTls && findProblem() is { } problem)
        {
            await error.WriteLineAsync($"gateway: {problem}");
            return 1;
        }

        return await result.InvokeAsync();
    }
}
