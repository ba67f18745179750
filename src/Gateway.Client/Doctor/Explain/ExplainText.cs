using System.Globalization;

namespace Gateway.Client.Doctor.Explain;

/// <summary>Writes an explanation for people.</summary>
internal static class ExplainText
{
    /// <summary>Writes it; every text in it is the program's own, except names that were validated.</summary>
    public static void Write(ExplainReport report, TextWriter output)
    {
        for (var index = 0; index < report.Problems.Count; index++)
        {
            var problem = report.Problems[index];
            if (index > 0)
            {
                output.WriteLine();
                output.WriteLine("Another possible or additional problem:");
                output.WriteLine();
            }

            output.WriteLine($"{problem.Problem} ({problem.Id})");
            if (problem.CutOff)
            {
                output.WriteLine("The text is cut off within the message; read its end as well.");
            }

            WriteList("Likely causes, the most likely first:", problem.Causes, output);
            WriteList("What to do:", problem.Next, output);
            if (problem.Checks.Count > 0)
            {
                output.WriteLine();
                output.WriteLine("Pages: " + string.Join(", ", problem.Checks.Select(static check => check.Page)));
            }
        }
    }

    private static void WriteList(string title, IReadOnlyList<string> items, TextWriter output)
    {
        output.WriteLine();
        output.WriteLine(title);
        for (var index = 0; index < items.Count; index++)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {index + 1}. {items[index]}"));
        }
    }
}
