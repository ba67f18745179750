using Gateway.Tests.Support;

namespace Gateway.Tests.Documentation;

/// <summary>The build holds lines of code to 120 columns (RCS0056), and leaves comments out.</summary>
public sealed class CommentLengthTests
{
    private const int Columns = 120;

    [Fact]
    public void Comments_AreNoLongerThanALineOfCode()
    {
        string[] folders = ["src", "tests"];
        var faults = string.Join('\n', folders
            .SelectMany(static folder => Directory.EnumerateFiles(
                Path.Combine(RepositoryRoot.Path, folder), "*.cs", SearchOption.AllDirectories))
            .Where(static file => !file.Contains("/obj/", StringComparison.Ordinal)
                && !file.Contains("/bin/", StringComparison.Ordinal))
            .SelectMany(static file => File.ReadLines(file).Select((line, i) => (File: file, Line: i + 1, Text: line)))
            .Where(static one => one.Text.Length > Columns && one.Text.AsSpan().TrimStart().StartsWith("//")
                && !one.Text.Contains("<inheritdoc", StringComparison.Ordinal)) // a name that cannot be broken
            .Select(static one => $"{Path.GetRelativePath(RepositoryRoot.Path, one.File)}:{one.Line}"));
        Assert.True(faults.Length == 0, faults);
    }
}
