using Gateway.Tests.Support;

namespace Gateway.Tests.Client.Doctor.Explain;

/// <summary>Texts of a file in this folder, each below a line "=== title".</summary>
internal static class MessageFile
{
    public static IReadOnlyList<(string Title, string Text)> Read(string name)
    {
        var path = Path.Combine(RepositoryRoot.Path, "tests", "Gateway.Tests", "Client", "Doctor", "Explain", name);
        var result = new List<(string Title, string Text)>();
        foreach (var part in ("\n" + File.ReadAllText(path)).Split("\n=== ", StringSplitOptions.RemoveEmptyEntries))
        {
            var end = part.IndexOf('\n', StringComparison.Ordinal);
            result.Add((part[..end], part[(end + 1)..].TrimEnd('\n')));
        }

        return result;
    }
}
