using System.CommandLine;
using Gateway.Foundation.Configuration;

namespace Gateway.Commands;

/// <summary><c>gateway policy</c>: checks, explains and tests policy files before a gateway uses them.</summary>
internal static class PolicyCommand
{
    public static Command Create() => new("policy", "Checks, explains and tests policy files.")
    {
        PolicyCheckCommand.Create(),
        PolicyExplainCommand.Create(),
        PolicyTestCommand.Create(),
    };

    /// <summary>Prints one line for each problem.</summary>
    /// <returns>The exit code of a wrong configuration.</returns>
    internal static int Refuse(ParseResult result, IEnumerable<Problem> problems)
    {
        foreach (var problem in problems)
        {
            result.InvocationConfiguration.Error.WriteLine(problem);
        }

        return ProblemReport.ConfigurationProblem;
    }
}
