namespace Gateway.Foundation.Text;

/// <summary>Foreign text, made safe for the log.</summary>
internal static class LogText
{
    /// <summary>
    /// Replaces control characters: error messages quote what an upstream sent, which could forge lines of the log or
    /// move the cursor of a reader's terminal.
    /// </summary>
    public static string OneLine(string? text) =>
        text is null ? "" : string.Create(text.Length, text, static (line, text) =>
    {
        for (var i = 0; i < text.Length; i++)
        {
            line[i] = char.IsControl(text[i]) ? '?' : text[i];
        }
    });
}
