using System.CommandLine;
using System.Text;
using System.Text.Json;
using Gateway.Client.Doctor.Explain;

namespace Gateway.Client.Commands;

/// <summary>
/// <c>gateway doctor explain [TEXT]</c>: what an error message of a client means, why it happens, what to run next.
/// 0 if it is known, 1 if it is not.
/// </summary>
internal static class ExplainCommand
{
    private const int CheckIdLength = 6;

    /// <summary>Creates the command.</summary>
    /// <param name="printPage">
    /// Prints the page of a check if the text is only its id, and returns the exit code;
    /// <see langword="null"/>: an id is a text like any other.
    /// </param>
    public static Command Create(Func<string, int>? printPage = null)
    {
        var text = new Argument<string[]>("TEXT")
        {
            Description = "The message, as printed by the client. Default, or \"-\": standard input.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var json = new Option<bool>("--json") { Description = "Prints JSON." };
        var command = new Command(
            "explain", "Explains an error message of docker, podman, containerd, Kubernetes, helm and others.")
        {
            text, json,
        };
        command.SetAction(async (result, cancellationToken) =>
        {
            var words = result.GetValue(text) ?? [];
            var message = words is [] or ["-"]
                ? await ReadInputAsync(cancellationToken)
                : string.Join(' ', words); // quotes around the message are easily forgotten
            return Run(message, result.GetValue(json), printPage, Console.Out, Console.Error);
        });
        return command;
    }

    /// <summary>Explains one text.</summary>
    internal static int Run(string text, bool isJson, Func<string, int>? printPage, TextWriter output, TextWriter error)
    {
        var trimmed = text.Trim();
        if (printPage is not null && IsCheckId(trimmed))
        {
            return printPage(trimmed.ToUpperInvariant());
        }

        if (trimmed.Length == 0)
        {
            error.WriteLine(
                "There is no text. Give the complete message of the client, in quotes or on standard input.");
            return 1;
        }

        var report = ExplainReport.Create(ErrorExplainer.Default, text);
        if (isJson)
        {
            output.WriteLine(JsonSerializer.Serialize(report, ExplainJsonContext.Default.ExplainReport));
        }
        else if (report.Known)
        {
            ExplainText.Write(report, output);
        }
        else
        {
            error.WriteLine("This message is not known. If it is incomplete, give the whole message. "
                + $"Otherwise run \"{report.Suggestion}\", which tries each step of a client and names the first "
                + "that fails.");
        }

        return report.Known ? 0 : 1;
    }

    private static async Task<string> ReadInputAsync(CancellationToken cancellationToken)
    {
        if (!Console.IsInputRedirected)
        {
            await Console.Error.WriteLineAsync("Paste the message, then press Enter and Ctrl-D.");
        }

        // The text is capped; the reason is at the end, so the beginning is dropped.
        var buffer = new char[8192];
        var kept = new StringBuilder();
        int count;
        while ((count = await Console.In.ReadAsync(buffer, cancellationToken)) > 0)
        {
            kept.Append(buffer, 0, count);
            if (kept.Length > MessageText.MaxLength * 2)
            {
                kept.Remove(0, kept.Length - MessageText.MaxLength);
            }
        }

        return kept.ToString();
    }

    private static bool IsCheckId(string text) =>
        text.Length == CheckIdLength
        && text[..3].All(char.IsAsciiLetter)
        && text[3..].All(char.IsAsciiDigit);
}
