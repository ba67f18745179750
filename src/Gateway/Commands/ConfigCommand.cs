using System.CommandLine;
using Gateway.Configuration;

namespace Gateway.Commands;

/// <summary><c>gateway config check|schema|reference</c>: looks at a configuration without starting anything.</summary>
internal static class ConfigCommand
{
    public static Command Create() => new("config", "Checks a configuration, or describes what it may hold.")
    {
        CreateCheck(),
        CreateWriter("schema", "Writes the JSON Schema of gateway.yaml.", ConfigurationSchema.Write),
        CreateWriter("reference", "Writes the reference of all settings, in Markdown.", ConfigurationReference.Write),
    };

    private static Command CreateCheck()
    {
        var file = new Argument<string?>("FILE")
        {
            Description = "The configuration file; config/gateway.yaml unless given.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var config = new Option<string?>("--config", "-c") { Description = "The same, as \"gateway serve\" takes it." };
        var command = new Command("check", "Reads everything a start would read and prints every problem.")
        {
            file,
            config,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(file) is not null && result.GetValue(config) is not null)
            {
                result.AddError("Name the configuration file once: either as FILE or with --config.");
            }
        });
        command.SetAction(result =>
        {
            var path = result.GetValue(file) ?? result.GetValue(config) ?? "config/gateway.yaml";
            var output = result.InvocationConfiguration;
            return Check(path, ConfigurationLoader.ProcessEnvironment(), output.Output, output.Error);
        });
        return command;
    }

    private static int Check(
        string path, IReadOnlyDictionary<string, string> environment, TextWriter output, TextWriter error)
    {
        var problems = FindProblems(path, environment);
        foreach (var problem in problems)
        {
            error.WriteLine(problem);
        }

        if (problems.Count > 0)
        {
            return GatewayCommand.ConfigurationProblem;
        }

        output.WriteLine($"{path} is valid.");
        return 0;
    }

    private static IReadOnlyList<Problem> FindProblems(string path, IReadOnlyDictionary<string, string> environment)
    {
        try
        {
            return ConfigurationCheck.Run(ConfigurationLoader.Load(path, environment));
        }
        catch (ProblemException exception)
        {
            return exception.Problems;
        }
    }

    private static Command CreateWriter(
        string name, string description, Func<SectionType, SettingDocumentation, string> write)
    {
        var command = new Command(name, description);
        command.SetAction(result =>
        {
            try
            {
                result.InvocationConfiguration.Output.Write(write(SettingModel.Gateway, SettingDocumentation.Load()));
                return 0;
            }
            catch (ProblemException exception)
            {
                result.InvocationConfiguration.Error.WriteLine(exception.Message);
                return GatewayCommand.ConfigurationProblem;
            }
        });
        return command;
    }
}
