using System.CommandLine;
using Gateway.Foundation.Configuration;
using Gateway.Server.Registry.Policies;

namespace Gateway.Commands;

/// <summary>
/// <c>gateway policy check FOLDER…</c>: 0 if the policies are valid, else 78 and one line for each problem.
/// </summary>
internal static class PolicyCheckCommand
{
    public static Command Create()
    {
        var folders = new Argument<string[]>("folder")
        {
            Description = "A folder with policy files.",
            Arity = ArgumentArity.OneOrMore,
        };
        var end = DocumentEndOption.Create();
        var command = new Command("check", "Reports everything that is wrong with policy files.") { folders, end };
        command.SetAction(result => Run(result, result.GetRequiredValue(folders), end));
        return command;
    }

    private static int Run(ParseResult result, string[] folders, Option<bool> end)
    {
        var problems = new List<Problem>();
        foreach (var folder in folders)
        {
            var reading = PolicyFolder.Read(folder, requiresEnd: DocumentEndOption.IsRequired(result, end, folder));
            problems.AddRange(reading.Problems);
            foreach (var warning in reading.Warnings)
            {
                result.InvocationConfiguration.Error.WriteLine("warning: " + warning);
            }

            if (reading.Problems is [])
            {
                result.InvocationConfiguration.Output.WriteLine(
                    $"{folder}: valid (files: {reading.FileCount}, rules: {reading.Policy.RuleCount}, "
                    + $"warnings: {reading.Warnings.Count})");
            }
        }

        return problems is [] ? 0 : PolicyCommand.Refuse(result, problems);
    }
}
