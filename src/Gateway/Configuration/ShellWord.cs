namespace Gateway.Configuration;

/// <summary>Words of commands that people copy into a shell.</summary>
internal static class ShellWord
{
    /// <summary>The text as one word.</summary>
    public static string Of(string text) => text switch
    {
        ['~', '/', .. var rest] => "~/" + Of(rest), // the shell's to read
        _ when text.Length > 0 && text.All(static c => char.IsAsciiLetterOrDigit(c) || "_./:@%+=,-".Contains(c, StringComparison.Ordinal)) => text,
        _ => "'" + text.Replace("'", "'\\''", StringComparison.Ordinal) + "'",
    };
}
