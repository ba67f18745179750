using System.Diagnostics;
using Gateway.Foundation.Files;
using Gateway.Tests.Support;

namespace Gateway.Tests.Foundation.Files;

/// <summary>A lock on a part of a file, and who meets it.</summary>
public sealed class FileLockTests : IDisposable
{
    private const long Start = 1000;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void TryShare_UntilItIsClosed_IsSeen()
    {
        var path = _folder.Write("gateway.yaml", "");
        Assert.False(FileLock.IsHeld(path, Start, 1));

        using (FileLock.TryShare(path, Start, 1))
        {
            Assert.True(FileLock.IsHeld(path, Start, 1));
            Assert.False(FileLock.IsHeld(path, Start + 1, 1));
        }

        Assert.False(FileLock.IsHeld(path, Start, 1));
    }

    [Fact]
    public void IsHeld_WhileAnotherLocksTheFileWhole_IsSeenAllTheSame()
    {
        var path = _folder.Write("gateway.yaml", "");
        using var held = FileLock.TryShare(path, Start, 1);
        using var edited = File.Open(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);

        Assert.True(FileLock.IsHeld(path, Start, 1));
        using var second = FileLock.TryShare(path, Start, 1);
        Assert.NotNull(second);
    }

    // A configuration may come out of a pipe: --config <(make-it).
    [Fact]
    public async Task TryShare_OfAPipe_DoesNotWaitForAWriter()
    {
        var path = Path.Combine(_folder.Path, "pipe");
        using (var mkfifo = Process.Start("mkfifo", [path]))
        {
            await mkfifo.WaitForExitAsync();
        }

        var sharing = Task.Run(() => FileLock.TryShare(path, Start, 1)?.Dispose());
        var isDone = await Task.WhenAny(sharing, Task.Delay(TimeSpan.FromSeconds(5))) == sharing;
        if (!isDone)
        {
            await File.WriteAllTextAsync(path, ""); // lets the other thread go
        }

        Assert.True(isDone);
        await sharing;
        Assert.ThrowsAny<IOException>(() => FileLock.IsHeld(path + "2", Start, 1));
    }

    // flock(1) around an edit would else wait for the gateway's end.
    [Fact]
    public void TryShare_OfAFileThatAnotherLocksWhole_IsNotInTheWay()
    {
        var path = _folder.Write("gateway.yaml", "");
        using var held = FileLock.TryShare(path, Start, 1);

        // takes flock(2) for itself
        using var edited = File.Open(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);

        Assert.NotNull(held);
        Assert.True(edited.CanWrite);
    }
}
