#pragma warning disable CA1416 // the gateway runs on Linux
using Gateway.Server.Records.Audit;
using Gateway.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Server.Records.Audit;

/// <summary>
/// The file: its chain over every process and file, rotation, and what a crash or logrotate leaves behind.
/// </summary>
public sealed class AuditFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private readonly AuditFileOptions _options;
    private readonly string _path;

    public AuditFileTests()
    {
        _path = Path.Combine(_folder.Path, "logs", "audit.jsonl");
        _options = new AuditFileOptions { Path = _path, MaxAge = TimeSpan.Zero, MaxSizeMiB = 0 };
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Write_FirstLine_MakesFolderAndFileForTheOwnerOnly()
    {
        Write(1);

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_path));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            File.GetUnixFileMode(Path.GetDirectoryName(_path)!));
    }

    [Fact]
    public void Write_ByTwoProcessesInTurn_KeepsOneChain()
    {
        using var server = new AuditFile(_options, _time);
        using var command = new AuditFile(_options, _time);
        for (var i = 0; i < 5; i++)
        {
            server.Write([Entry(i)], durable: false);
            command.Write([Entry(i), Entry(i)], durable: true);
        }

        AssertHolds(15);
    }

    [Fact]
    public async Task Write_ByThreadsAtOnce_KeepsOneChain()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            using var file = new AuditFile(_options, _time);
            for (var i = 0; i < 50; i++)
            {
                file.Write([Entry(i)], durable: false);
            }
        })));

        AssertHolds(200);
    }

    [Fact]
    public void Write_BeyondTheSize_BeginsANewFileAndGoesOnWithTheChain()
    {
        _options.MaxSizeMiB = 1;
        using (var file = new AuditFile(_options, _time))
        {
            for (var i = 0; i < 4000; i += 100)
            {
                file.Write([.. Enumerable.Range(0, 100).Select(Large)], durable: false);
            }
        }

        var finished = AuditFileSet.Finished(_path);
        Assert.InRange(finished.Count, 2, 10);
        Assert.All(
            finished, static file => Assert.InRange(new FileInfo(file).Length, 1024 * 1024, 1024 * 1024 + 200_000));
        Assert.All(finished, static file => Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
        AssertHolds(4000);
    }

    [Fact]
    public void Write_BeyondTheAge_CountsFromTheFilesFirstLineAlsoAfterARestart()
    {
        _options.MaxAge = TimeSpan.FromHours(1);
        Write(1);
        _time.Advance(TimeSpan.FromMinutes(59));
        Write(1);
        Assert.Empty(AuditFileSet.Finished(_path));
        _time.Advance(TimeSpan.FromMinutes(2));
        Write(1);

        Assert.Single(AuditFileSet.Finished(_path));
        Assert.Single(File.ReadAllLines(_path));
        AssertHolds(3);
    }

    [Fact]
    public void Write_BeyondTheNumberKept_RemovesTheOldestOnly()
    {
        _options.MaxAge = TimeSpan.FromHours(1);
        _options.Keep = 2;
        var stranger = _folder.Write("logs/audit-notes.jsonl", "mine");
        using (var file = new AuditFile(_options, _time))
        {
            for (var i = 0; i < 5; i++)
            {
                file.Write([Entry(i)], durable: false);
                _time.Advance(TimeSpan.FromHours(2));
            }
        }

        Assert.Equal(2, AuditFileSet.Finished(_path).Count);
        Assert.True(File.Exists(stranger));
        var verifier = Verify();
        Assert.Empty(verifier.Findings);
        Assert.Equal((3L, 3L), (verifier.FirstSequence, verifier.Lines));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Write_AfterLogrotateMovedTheFile_BeginsANewOneWithTheChain(bool signalled)
    {
        using var file = new AuditFile(_options, _time);
        file.Write([Entry(1), Entry(2)], durable: false);
        File.Move(_path, _path + ".1");
        if (signalled)
        {
            file.Reopen();
        }

        file.Write([Entry(3)], durable: false);

        Assert.Equal(2, File.ReadAllLines(_path + ".1").Length);
        Assert.Single(File.ReadAllLines(_path));
        AssertHolds(3);
    }

    [Fact]
    public void Write_AfterACrashWithinALine_KeepsThePieceAndSaysSo()
    {
        Write(2);
        File.AppendAllText(_path, "{\"v\":1,\"time\":\"20");
        Write(1);

        var lines = File.ReadAllLines(_path);
        Assert.Equal("{\"v\":1,\"time\":\"20", lines[2]);
        Assert.Contains("\"torn\":17", lines[3], StringComparison.Ordinal);
        var verifier = Verify();
        Assert.Empty(verifier.Findings);
        Assert.Equal(3, verifier.Lines);
        Assert.Contains(
            "audit.jsonl:3: a crash or a full disk", Assert.Single(verifier.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void Write_WithTheChainTurnedOnLater_BeginsANewFile()
    {
        _options.HashChain = false;
        Write(2);
        _options.HashChain = true;
        Write(2);

        var verifier = Verify();
        Assert.Empty(verifier.Findings);
        Assert.Contains("no hash chain", Assert.Single(verifier.Notes), StringComparison.Ordinal);
        Assert.Equal(2, verifier.Lines);
        Assert.DoesNotContain("hash", File.ReadAllText(AuditFileSet.Finished(_path)[0]), StringComparison.Ordinal);
    }

    [Fact]
    public void Write_WithAnotherKey_BeginsANewFileThatGoesOnFromTheOldOne()
    {
        _options.HashKey = new string('a', 32);
        Write(2);
        _options.HashKey = new string('b', 32);
        Write(2);

        var finished = AuditFileSet.Finished(_path).Single();
        Assert.Equal(
            AuditFileSet.PositionAtEnd(finished, out _)!.Value.Hash, Member(File.ReadAllLines(_path)[0], "prev"));
        var old = new AuditVerifier(new HashChain(new string('a', 32)));
        old.Verify([finished]);
        Assert.Empty(old.Findings);
    }

    [Fact]
    public void Write_ToASymbolicLink_PutsItsTargetAway()
    {
        var link = Path.Combine(_folder.Path, "audit.jsonl");
        Write(1);
        File.CreateSymbolicLink(link, _path);
        _options.Path = link;
        _options.MaxAge = TimeSpan.FromHours(1);
        _time.Advance(TimeSpan.FromHours(2));
        Write(1);

        Assert.NotNull(new FileInfo(link).LinkTarget);
        Assert.Single(AuditFileSet.Finished(_path));
        AssertHolds(2);
    }

    [Fact]
    public void Write_ToAFullDisk_Throws()
    {
        _options.Path = "/dev/full";
        using var file = new AuditFile(_options, _time);

        var exception = Assert.Throws<IOException>(() => file.Write([Entry(1)], durable: true));

        Assert.Contains("No space left", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Disk_ThatBecomesFull_RefusesBeforeThereIsNoRoomForWhatWasAccepted()
    {
        using var disk = Mount.Disk(3 * AuditSpace.Size);
        _options.Path = Path.Combine(disk.Path, "audit.jsonl");
        using var file = new AuditFile(_options, _time, setsAside: true);
        file.Write([Entry(1)], durable: false);
        Assert.True(file.HasRoom);

        disk.Fill(); // by somebody else
        var lines = 1;
        while (file.HasRoom)
        {
            file.Write([Large(lines)], durable: false);
            lines++;
            Assert.True(lines < 100_000, "it never noticed");
        }

        // It said so with room left for some 10,000 lines of requests that were let through before.
        for (var i = 0; i < 10_000; i++)
        {
            file.Write([Large(i)], durable: false);
        }

        disk.MakeRoom();
        _time.Advance(TimeSpan.FromSeconds(1));
        await Eventually.TrueAsync(() => file.HasRoom);
        Assert.Equal(lines + 10_000, File.ReadLines(_options.Path).Count());
    }

    [Fact]
    public void Space_SetAside_IsGivenBackAtTheEnd()
    {
        using var disk = Mount.Disk(AuditSpace.Size * 3 / 2);
        _options.Path = Path.Combine(disk.Path, "audit.jsonl");
        for (var i = 0; i < 3; i++)
        {
            using var file = new AuditFile(_options, _time, setsAside: true);
            file.Write([Entry(1)], durable: false);
            Assert.True(file.HasRoom); // there is room for one at a time only
            _options.Path = Path.Combine(disk.Path, $"audit-{i}.jsonl");
        }
    }

    [Fact]
    public void File_ThatCannotBePutAway_IsNoOutage()
    {
        _options.MaxAge = TimeSpan.FromHours(1);
        using var file = new AuditFile(_options, _time);
        var problems = new List<string>();
        file.NotPutAway += problems.Add;
        file.Write([Entry(1)], durable: false);
        _time.Advance(TimeSpan.FromHours(2));
        using (Mount.File(_path)) // as a container has it whose file, and not its folder, is mounted
        {
            file.Reopen();
            file.Write([Entry(2)], durable: false);
            Assert.Single(problems);
            file.Write([Entry(3)], durable: false);
            Assert.Single(problems); // said once a minute
            Assert.Equal(3, File.ReadLines(_path).Count());
            file.Reopen();
            _time.Advance(TimeSpan.FromMinutes(2));
        }

        file.Write([Entry(4)], durable: false);
        Assert.Single(AuditFileSet.Finished(_path));
        AssertHolds(4);
    }

    private static string Member(string line, string name) =>
        System.Text.Json.JsonDocument.Parse(line).RootElement.GetProperty(name).GetString()!;

    private LifecycleEntry Entry(int number) => new(_time.GetUtcNow(), true, new AuditOptions(), $"1.{number}");

    private LifecycleEntry Large(int number) => new(_time.GetUtcNow(), true, new AuditOptions(), new string('v', 900));

    private void Write(int count)
    {
        using var file = new AuditFile(_options, _time);
        for (var i = 0; i < count; i++)
        {
            file.Write([Entry(i)], durable: false);
        }
    }

    private AuditVerifier Verify()
    {
        var verifier = new AuditVerifier(new HashChain(_options.HashKey));
        verifier.Verify([.. AuditFileSet.Finished(_path), _path]);
        return verifier;
    }

    private void AssertHolds(int lines)
    {
        var verifier = Verify();
        Assert.Empty(verifier.Findings);
        Assert.Empty(verifier.Notes);
        Assert.Equal(lines, verifier.Lines);
    }
}
