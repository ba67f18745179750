using System.CommandLine;
using Gateway.Foundation.Configuration;
using Gateway.Server.Registry.Policies;

namespace Gateway.Commands;

/// <summary>
/// <c>gateway policy test FOLDER</c>: 0 if every question has the expected answer, 1 and one line for each that has
/// not, 78 if files are invalid.
/// </summary>
internal static class PolicyTestCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("folder")
        {
            Description = "A folder with policy files and their *.test.yaml files.",
        };
        var end = DocumentEndOption.Create();
        var command = new Command("test", "Asks the questions in *.test.yaml and compares the answers.")
        {
            folder,
            end,
        };
        command.SetAction(result => Run(
            result,
            result.GetRequiredValue(folder),
            DocumentEndOption.IsRequired(result, end, result.GetRequiredValue(folder))));
        return command;
    }

    private static int Run(ParseResult result, string folder, bool requiresEnd)
    {
        PolicyTestReport report;
        try
        {
            report = PolicyTests.Run(PolicyFolder.Load(folder, requiresEnd: requiresEnd), folder, requiresEnd);
        }
        catch (ProblemException exception)
        {
            return PolicyCommand.Refuse(result, exception.Problems);
        }

        foreach (var failure in report.Failures)
        {
            result.InvocationConfiguration.Output.WriteLine(failure);
        }

        result.InvocationConfiguration.Output.WriteLine(
            $"{folder}: questions: {report.Count}, unexpected answers: {report.Failures.Count}");
        return report.Failures is [] ? 0 : 1;
    }
}
