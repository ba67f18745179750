namespace Gateway.Tests.Support;

/// <summary>Files of the repository that tests read where they lie.</summary>
internal static class SourceTree
{
    private static readonly Lazy<string> Root = new(static () =>
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Gateway.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("Gateway.sln is nowhere above the tests");
        }

        return folder;
    });

    /// <summary>The absolute path of a file or folder, given from the repository's root.</summary>
    public static string PathOf(params string[] parts) => Path.Combine([Root.Value, .. parts]);
}
