using Gateway.Foundation.Trust;
using Gateway.Tests.Server.Requests.Tls;
using Gateway.Tests.Support;

namespace Gateway.Tests.Client.Trust;

/// <summary>An authority's file, and a machine's file system below a folder.</summary>
internal sealed class TrustFiles : IDisposable
{
    public const string Name = "registry.example.com:8443";

    private readonly TemporaryFolder _folder = new();

    public TrustFiles()
    {
        Root = Directory.CreateDirectory(Path.Combine(_folder.Path, "root")).FullName;
        File = Write("ca.crt", PrivateAuthority.PemOf(Authority.Certificate));
    }

    public TestAuthority Authority { get; } = TestAuthority.CreateRoot("Test authority");

    /// <summary>The authority's file.</summary>
    public string File { get; }

    public string Root { get; }

    public string Write(string name, string text) => _folder.Write(name, text);

    /// <summary>Puts a file on the machine.</summary>
    public void Place(string path, string text = "") => _folder.Write("root" + path, text);

    public string Read(string path) => System.IO.File.ReadAllText(Root + path);

    /// <summary>All that is on the machine, by path.</summary>
    public IReadOnlyDictionary<string, string> Everything() =>
        Directory.EnumerateFiles(Root, "*", SearchOption.AllDirectories)
        .ToDictionary(file => file[Root.Length..], System.IO.File.ReadAllText);

    public void Dispose() => _folder.Dispose();
}
