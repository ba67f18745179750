namespace Gateway.Tests.Documentation;

/// <summary>Finds the text of string literals in C#: regular, verbatim, raw and interpolated ones, without their expressions.</summary>
/// <remarks>No parser: it knows comments, characters and strings, which is what tells text for people from code.</remarks>
internal static class SourceStrings
{
    /// <summary>Every literal with the number of its line.</summary>
    public static IEnumerable<(int Line, string Text)> In(string code)
    {
        for (var at = 0; at < code.Length; at++)
        {
            if (StartsAt(code, at, "//"))
            {
                at = EndOfLine(code, at);
            }
            else if (StartsAt(code, at, "/*"))
            {
                at = Math.Max(at, code.IndexOf("*/", at, StringComparison.Ordinal) + 1);
            }
            else if (code[at] == '\'')
            {
                at += code[at + 1] == '\\' ? code.IndexOf('\'', at + 3) - at : 2;
            }
            else if (code[at] == '"')
            {
                var start = at;
                var text = Read(code, ref at);
                yield return (code.AsSpan(0, start).Count('\n') + 1, text);
            }
        }
    }

    private static string Read(string code, ref int at)
    {
        var quotes = 0;
        while (at + quotes < code.Length && code[at + quotes] == '"')
        {
            quotes++;
        }

        if (quotes == 2)
        {
            at++;
            return "";
        }

        if (quotes > 2)
        {
            var end = code.IndexOf(new string('"', quotes), at + quotes, StringComparison.Ordinal);
            var raw = code[(at + quotes)..end];
            at = end + quotes - 1;
            return raw;
        }

        var isVerbatim = Before(code, at).Contains('@');
        var text = new System.Text.StringBuilder();
        for (at++; code[at] != '"' || (isVerbatim && code[at + 1] == '"'); at++)
        {
            if ((code[at] == '\\' && !isVerbatim) || (code[at] == '"' && isVerbatim))
            {
                at++;
            }

            text.Append(code[at]);
        }

        return text.ToString();
    }

    private static string Before(string code, int at) => code[Math.Max(0, at - 2)..at];

    private static bool StartsAt(string code, int at, string what) => string.CompareOrdinal(code, at, what, 0, what.Length) == 0;

    private static int EndOfLine(string code, int at) => code.IndexOf('\n', at) is var end && end < 0 ? code.Length : end;
}
