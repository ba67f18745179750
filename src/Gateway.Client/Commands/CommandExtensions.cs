using System.CommandLine;

namespace Gateway.Client.Commands;

/// <summary>Composes commands.</summary>
internal static class CommandExtensions
{
    /// <summary>Adds arguments, in this order, and options.</summary>
    public static Command With(this Command command, params ReadOnlySpan<Symbol> symbols)
    {
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument)
            {
                command.Arguments.Add(argument);
            }
            else
            {
                command.Options.Add((Option)symbol);
            }
        }

        return command;
    }
}
