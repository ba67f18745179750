using Gateway.EndToEndTests.Support;
using Gateway.Foundation.Configuration;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Store.State;
using Gateway.Server.Store.State.Sqlite;

namespace Gateway.EndToEndTests.State;

/// <summary>A disk that is really full, and one that is really read-only: small file systems of memory.</summary>
public sealed class DiskTests : IAsyncLifetime, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-disk-").FullName;

    private string DatabaseFile => Path.Combine(_folder, SqliteDatabase.FileName);

    public Task InitializeAsync() => RunAsync("mount", "-t", "tmpfs", "-o", "size=512k,mode=0700", "tmpfs", _folder);

    public Task DisposeAsync() => RunAsync("umount", _folder);

    public void Dispose() => Directory.Delete(_folder);

    [Fact]
    public async Task Write_DiskFull_SaysSoKeepsWhatWasAnsweredAndGoesOnOnceThereIsRoom()
    {
        var ballast = Path.Combine(_folder, "ballast");
        await File.WriteAllBytesAsync(ballast, new byte[300 * 1024]);
        await using var store = SqliteCredentialStore.Open(_folder);
        var answered = 0;
        StateException? refused = null;
        while (refused is null)
        {
            try
            {
                await store.AddAsync(CredentialMaker.Make($"c{answered}"), default);
                answered++;
            }
            catch (StateException exception)
            {
                refused = exception;
            }
        }

        Assert.Equal(
            $"{DatabaseFile}: the store cannot be written: the disk is full. Free some space; nothing that the "
                + "gateway confirmed is lost.",
            refused.Message);
        Assert.Equal(answered, (await store.ListAsync(null, default)).Count);
        Assert.NotNull(await store.FindAsync("c0", default));

        File.Delete(ballast);
        await store.AddAsync(CredentialMaker.Make("later"), default);
        Assert.Equal(answered + 1, (await store.ListAsync(null, default)).Count);
    }

    [Fact]
    public async Task Open_DiskReadOnly_IsRefusedBySayingSo()
    {
        await SqliteCredentialStore.Open(_folder).DisposeAsync();
        await RunAsync("mount", "-o", "remount,ro", _folder);
        var expected = $"{_folder}: state.folder cannot be written. "
            + $"Make it writable for the gateway's user (\"{Environment.UserName}\") (chown), and not mounted "
            + "read-only.";

        Assert.Equal(expected, Assert.Throws<ProblemException>(() => SqliteCredentialStore.Open(_folder)).Message);
        Assert.Equal(
            expected,
            Assert.Throws<ProblemException>(
                () => StateServiceExtensions.Check(new StateOptions { Folder = _folder })).Message);
    }

    [Fact]
    public async Task Open_ByRootInAnothersFolder_LeavesTheFileToThatUser()
    {
        // "sudo gateway token create" before the first start must not lock the gateway out.
        await RunAsync("chown", "1654:1654", _folder);
        await using var store = SqliteCredentialStore.Open(_folder);
        await store.AddAsync(CredentialMaker.Make("one"), default);

        var files = Directory.GetFiles(_folder);
        Assert.Equal(3, files.Length);
        var owners = (await Cli.RunAsync("stat", ["-c", "%u:%g", .. files])).Succeeded();
        Assert.Equal("1654:1654\n1654:1654\n1654:1654", owners);
    }

    private static async Task RunAsync(string program, params string[] arguments) =>
        (await Cli.RunAsync(program, arguments)).Succeeded();
}
