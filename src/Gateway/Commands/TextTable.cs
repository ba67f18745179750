namespace Gateway.Commands;

/// <summary>Rows of text for a terminal, in columns.</summary>
internal static class TextTable
{
    /// <summary>One line for each row; two spaces between columns, none at the end.</summary>
    public static IEnumerable<string> Format(IReadOnlyList<string[]> rows)
    {
        var widths = rows[0].Select((_, column) => rows.Max(row => row[column].Length)).ToArray();
        return rows.Select(row => string.Join(
            "  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
    }
}
