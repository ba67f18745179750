using System.Runtime.Versioning;
using Gateway.Server.Requests.Reloading;
using Gateway.Tests.Server.Requests.Tls;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Requests.Reloading;

public sealed class FileFingerprintTests : IDisposable
{
    private static readonly DateTime SameTime = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private readonly string _root = Directory.CreateTempSubdirectory("gateway-fingerprint-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task Of_FolderLinkSwapped_Differs()
    {
        // As Kubernetes mounts a secret: tls.crt -> ..data/tls.crt, ..data -> ..one. Length and time are made the same.
        foreach (var folder in new[] { "..one", "..two" })
        {
            Directory.CreateDirectory(PathOf(folder));
            Write(folder + "/tls.crt", "same length");
        }

        File.CreateSymbolicLink(PathOf("..data"), "..one");
        File.CreateSymbolicLink(PathOf("tls.crt"), "..data/tls.crt");
        var before = FileFingerprint.Of([PathOf("tls.crt")]);

        File.CreateSymbolicLink(PathOf("..data_tmp"), "..two");
        await Tool.RenameAsync(PathOf("..data_tmp"), PathOf("..data"));

        Assert.NotEqual(before, FileFingerprint.Of([PathOf("tls.crt")]));
    }

    [Fact]
    public void Of_FileRenamedOverAnotherOfTheSameAgeAndLength_Differs()
    {
        Write("tls.crt", "same length");
        Write("new.crt", "another one");
        var before = FileFingerprint.Of([PathOf("tls.crt")]);

        File.Move(PathOf("new.crt"), PathOf("tls.crt"), overwrite: true);

        Assert.NotEqual(before, FileFingerprint.Of([PathOf("tls.crt")]));
    }

    [Fact]
    [SupportedOSPlatform("linux")]
    public void Of_FileMadeReadable_Differs()
    {
        Write("tls.key", "key");
        File.SetUnixFileMode(PathOf("tls.key"), UnixFileMode.None);
        var before = FileFingerprint.Of([PathOf("tls.key")]);

        File.SetUnixFileMode(PathOf("tls.key"), UnixFileMode.UserRead);

        Assert.NotEqual(before, FileFingerprint.Of([PathOf("tls.key")]));
    }

    // As rsync -t --inplace and cp -p write: other content of the same length, and the time of the old one.
    [Fact]
    public async Task Of_OtherContentWithTheSameLengthAndTime_Differs()
    {
        Write("tls.crt", "same length");
        var before = FileFingerprint.Of([PathOf("tls.crt")]);

        await Eventually.TrueAsync(() =>
        {
            Write("tls.crt", "another one"); // again until the file system's clock has moved
            return !before.Equals(FileFingerprint.Of([PathOf("tls.crt")]));
        });

        Assert.Equal(SameTime, File.GetLastWriteTimeUtc(PathOf("tls.crt")));
    }

    [Fact]
    public void Of_FileOfAFolderComesAndGoes_Differs()
    {
        Write("a.yaml", "a");
        var before = FileFingerprint.Of([_root]);

        Write("b.yaml", "b");
        var between = FileFingerprint.Of([_root]);
        File.Delete(PathOf("b.yaml"));

        Assert.NotEqual(before, between);
        Assert.Equal(before, FileFingerprint.Of([_root]));
    }

    [Fact]
    public void Of_MissingFileAppears_Differs()
    {
        var before = FileFingerprint.Of([PathOf("tls.crt")]);

        Write("tls.crt", "");

        Assert.NotEqual(before, FileFingerprint.Of([PathOf("tls.crt")]));
    }

    [Fact]
    public void Of_NothingChanged_IsTheSame()
    {
        Write("tls.crt", "text");

        Assert.Equal(FileFingerprint.Of([PathOf("tls.crt")]), FileFingerprint.Of([PathOf("tls.crt")]));
    }

    private string PathOf(string name) => Path.Combine(_root, name);

    private void Write(string name, string text)
    {
        File.WriteAllText(PathOf(name), text);
        File.SetLastWriteTimeUtc(PathOf(name), SameTime);
    }
}
