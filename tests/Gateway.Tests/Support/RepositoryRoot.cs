namespace Gateway.Tests.Support;

/// <summary>Where this repository lies, for tests that read what is delivered.</summary>
internal static class RepositoryRoot
{
    public static string Path { get; } = Find(AppContext.BaseDirectory);

    /// <summary>The absolute path of a file or folder, given from the repository's root.</summary>
    public static string PathOf(params string[] parts) => System.IO.Path.Combine([Path, .. parts]);

    private static string Find(string folder) => File.Exists(System.IO.Path.Combine(folder, "Gateway.sln"))
        ? folder
        : Find(System.IO.Path.GetDirectoryName(folder) ?? throw new DirectoryNotFoundException("Gateway.sln"));
}
