using System.CommandLine;

namespace Gateway.Commands;

/// <summary><c>gateway serve --config FILE</c>: runs the gateway until it is told to stop.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        var config = new Option<FileInfo>("--config", "-c")
        {
            Description = "The configuration file; everything relative in it is relative to its folder.",
            DefaultValueFactory = static _ => new FileInfo("config/gateway.yaml"),
        };
        var command = new Command("serve", "Runs the gateway.") { config };
        command.SetAction(static (result, cancellationToken) => Task.FromResult(0));
        return command;
    }
}
