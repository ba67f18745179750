namespace Gateway.Tests.Support;

/// <summary>A policy folder on disk for one test.</summary>
internal sealed class PolicyFiles : IDisposable
{
    public PolicyFiles(params (string Name, string Text)[] files)
    {
        foreach (var (name, text) in files)
        {
            Write(name, text);
        }
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("policies-").FullName;

    public void Write(string name, string text)
    {
        var path = Path.Combine(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
