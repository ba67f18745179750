using System.CommandLine;
using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Configuration;

namespace Gateway.Commands;

/// <summary><c>gateway config check|schema|reference</c>: inspects a configuration without starting anything.</summary>
internal static class ConfigCommand
{
    public static Command Create() => new("config", "Checks a configuration, or describes its settings.")
    {
        CreateCheck(),
        CreateWriter("schema", "Writes the JSON Schema of gateway.yaml.", ConfigurationSchema.Write),
        CreateWriter("reference", "Writes the reference of all settings, in Markdown.", ConfigurationReference.Write),
    };

    private static Command CreateCheck()
    {
        var file = new Argument<string?>("FILE")
        {
            Description = $"The configuration file. Default: ${ConfigOption.Variable}, or the file that \"gateway "
                + "serve\" would use.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var config = new Option<string?>("--config", "-c")
        {
            Description = "The same as FILE, as an option, as with \"gateway serve\".",
        };
        var command = new Command("check", "Reads everything that a start would read, and prints every problem.")
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
            var path = result.GetValue(file) ?? result.GetValue(config) ?? ConfigOption.DefaultPath();
            var output = result.InvocationConfiguration;
            return Check(path, ProcessEnvironment.Read(), output.Output, output.Error);
        });
        return command;
    }

    private static int Check(
        string path, IReadOnlyDictionary<string, string> environment, TextWriter output, TextWriter error)
    {
        try
        {
            var options = ConfigurationLoader.Load(path, environment);
            var problems = ConfigurationCheck.Run(options);
            if (problems.Count > 0)
            {
                throw new ProblemException(problems);
            }

            foreach (var warning in ConfigurationCheck.Warnings(options))
            {
                error.WriteLine($"warning: {warning}");
            }
        }
        catch (ProblemException exception)
        {
            foreach (var problem in exception.Problems)
            {
                error.WriteLine(problem);
            }

            return ProblemReport.ConfigurationProblem;
        }

        output.WriteLine($"{path} is valid.");
        return 0;
    }

    private static Command CreateWriter(
        string name, string description, Func<SectionType, SettingDocumentation, string> write)
    {
        var command = new Command(name, description);
        command.SetAction(result =>
        {
            try
            {
                result.InvocationConfiguration.Output.Write(
                    write(GatewayOptions.Model, SettingDocumentation.Load(GatewayOptions.Model)));
                return 0;
            }
            catch (ProblemException exception)
            {
                result.InvocationConfiguration.Error.WriteLine(exception.Message);
                return ProblemReport.ConfigurationProblem;
            }
        });
        return command;
    }
}
