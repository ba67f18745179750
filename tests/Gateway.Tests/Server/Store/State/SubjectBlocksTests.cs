using System.Diagnostics;
using Gateway.Core.Authorization;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Files;
using Gateway.Server.Store.State;
using Gateway.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Server.Store.State;

/// <summary>Whom a set of blocks keeps out, and the file that outlasts the store.</summary>
public sealed class SubjectBlocksTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _clock = new();

    private string Folder => Path.Combine(_folder.Path, "state");

    private string BlocksFile => Path.Combine(Folder, "blocked.json");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(SubjectKind.User, "corp/alice", true)]
    [InlineData(SubjectKind.User, "alice", false)]
    [InlineData(SubjectKind.User, "corp/Alice", false)]
    [InlineData(SubjectKind.User, "corp/alice2", false)]
    [InlineData(SubjectKind.User, "lab/alice", false)]
    [InlineData(SubjectKind.Robot, "corp/alice", false)]
    [InlineData(SubjectKind.Workload, "corp/alice", false)]
    [InlineData(SubjectKind.Anonymous, "corp/alice", false)]
    public void Find_ExactlyTheSubject_IsBlocked(SubjectKind kind, string name, bool isBlocked)
    {
        var blocks = SubjectBlocks.None.With([Block("user:corp/alice")]);

        var found = blocks.Find(new Subject { Kind = kind, Name = name, Method = "whatever signed them in" }, _clock);

        Assert.Equal(isBlocked, found is not null);
    }

    [Fact]
    public void Find_UntilAnInstant_IsOverFromThenOn()
    {
        var blocks = SubjectBlocks.None.With([Block("user:alice") with { Until = _clock.GetUtcNow().AddHours(1) }]);

        Assert.NotNull(blocks.Find(TestCredential.Alice, _clock));
        _clock.Advance(TimeSpan.FromMinutes(60) - TimeSpan.FromTicks(1));
        Assert.NotNull(blocks.Find(TestCredential.Alice, _clock));
        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.Null(blocks.Find(TestCredential.Alice, _clock));
    }

    [Fact]
    public void With_TheLaterChangeHolds_AndOfTwoAsLateTheOneThatBlocks()
    {
        var block = Block("user:alice");
        var lifted = block.Lift(_clock.GetUtcNow(), "root");
        Assert.True(lifted.ChangedAt > block.ChangedAt); // though the clock did not move

        Assert.Null(SubjectBlocks.None.With([block]).With([lifted]).Find(TestCredential.Alice, _clock));
        Assert.Null(SubjectBlocks.None.With([lifted]).With([block]).Find(TestCredential.Alice, _clock));

        var atOnce = block with { LiftedAt = block.At };
        Assert.NotNull(SubjectBlocks.None.With([block, atOnce]).Find(TestCredential.Alice, _clock));
        Assert.NotNull(SubjectBlocks.None.With([atOnce, block]).Find(TestCredential.Alice, _clock));
    }

    [Fact]
    public void Create_ByAMachineWhoseClockIsBehind_IsStillTheLaterChange()
    {
        var ahead = SubjectBlock.Create(null, "user:alice", _clock.GetUtcNow().AddHours(3), "root");
        var lifted = ahead.Lift(_clock.GetUtcNow(), "root");
        var again = SubjectBlock.Create(lifted, "user:alice", _clock.GetUtcNow(), "root");

        Assert.Null(SubjectBlocks.None.With([lifted, ahead]).Find(TestCredential.Alice, _clock));
        Assert.NotNull(SubjectBlocks.None.With([again, ahead, lifted]).Find(TestCredential.Alice, _clock));
    }

    [Fact]
    public void Beyond_GivesWhatOthersLack()
    {
        var (alice, bob) = (Block("user:alice"), Block("user:bob"));
        var lifted = bob.Lift(_clock.GetUtcNow(), "root");
        var known = SubjectBlocks.None.With([alice, lifted]);

        Assert.Equal([alice, lifted], known.Beyond(SubjectBlocks.None));
        Assert.Equal([lifted], known.Beyond(SubjectBlocks.None.With([alice, bob])));
        Assert.Empty(known.Beyond(SubjectBlocks.None.With([alice, lifted, Block("user:carol")])));
        Assert.Same(known, known.With([alice, bob, lifted]));
    }

    [Fact]
    public void File_OfTwoThatWriteAtOnce_HasTheBlocksOfBoth()
    {
        Assert.Null(new BlockFile(Folder).Read());
        Parallel.For(
            0, 24,
            i => new BlockFile(Folder).Merge(SubjectBlocks.None.With([Block($"user:u{i}") with { Reason = "ä\"" }])));

        var read = new BlockFile(Folder).Read()!;
        Assert.Equal(24, read.All.Count);
        Assert.All(read.All, static one => Assert.Equal("ä\"", one.Reason));
#pragma warning disable CA1416 // these tests run on Linux
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(BlocksFile));
#pragma warning restore CA1416
        Assert.Equal([BlocksFile], Directory.EnumerateFiles(Folder));
    }

    [Fact]
    public void Merge_WhatTheFileSaysAlready_LeavesItAlone()
    {
        var blocks = new BlockFile(Folder).Merge(SubjectBlocks.None.With([Block("user:alice"), Block("user:bob")]));
        var before = File.GetLastWriteTimeUtc(BlocksFile);
        File.SetLastWriteTimeUtc(BlocksFile, before.AddHours(-1));

        Assert.Equal(2, new BlockFile(Folder).Merge(SubjectBlocks.None.With([Block("user:alice")])).All.Count);

        Assert.Equal(before.AddHours(-1), File.GetLastWriteTimeUtc(BlocksFile));
        Assert.Equal(2, blocks.All.Count);
    }

    // A command that runs as root gives its new file to the folder's owner, who could have put a link in its place.
    [Fact]
    public void Merge_AsRootThroughALinkOfTheFoldersOwner_GivesAwayNothingOutside()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return;
        }

        var outside = Path.Combine(_folder.Path, "outside.json");
        Directory.CreateDirectory(Folder);
        using (var chown = Process.Start("chown", ["12345:12345", Folder]))
        {
            chown.WaitForExit();
        }

        new BlockFile(Folder).Merge(SubjectBlocks.None.With([Block("user:alice")]));
        Assert.Equal(12345u, FileOwner.Read(BlocksFile)!.Value.User);

        File.Delete(BlocksFile);
        File.CreateSymbolicLink(BlocksFile, outside);
        new BlockFile(Folder).Merge(SubjectBlocks.None.With([Block("user:alice")]));

        Assert.Equal(0u, FileOwner.Read(outside)!.Value.User);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("""{"version":1,"blocks":[""")]
    [InlineData("""{"version":2,"blocks":[]}""")]
    [InlineData("""{"version":1}""")]
    [InlineData("""{"version":1,"blocks":[null]}""")]
    [InlineData("""{"version":1,"blocks":[{"subject":"user:","at":"2026-11-26T12:00:00Z","by":"root"}]}""")]
    [InlineData("""{"version":1,"blocks":[{"subject":"alice","at":"2026-11-26T12:00:00Z","by":"root"}]}""")]
    [InlineData("""{"version":1,"blocks":[{"subject":"anonymous:x","at":"2026-11-26T12:00:00Z","by":"root"}]}""")]
    [InlineData("""{"version":1,"blocks":[{"subject":"user:a","by":"root"}]}""")]
    [InlineData(
#pragma warning disable RCS0056 // one line of text
        """{"version":1,"blocks":[{"subject":"user:a","at":"2026-11-26T12:00:00Z","by":"root","onlyFrom":"192.0.2.1"}]}""")]
#pragma warning restore RCS0056
    public void Read_FileThatIsNotUnderstood_IsRefusedAndLeftAsItIs(string text)
    {
        _folder.Write("state/blocked.json", text);

        var exception = Assert.Throws<ProblemException>(() => new BlockFile(Folder).Read());
        Assert.Throws<ProblemException>(
            () => new BlockFile(Folder).Merge(SubjectBlocks.None.With([Block("user:bob")])));

        Assert.StartsWith(
            $"{BlocksFile}: the list of blocked subjects cannot be read", exception.Message, StringComparison.Ordinal);
        Assert.Equal(text, File.ReadAllText(BlocksFile));
    }

    [Fact]
    public void Read_NothingInIt_IsNobody()
    {
        _folder.Write("state/blocked.json", """{"version":1,"blocks":[]}""");

        Assert.Empty(new BlockFile(Folder).Read()!.All);
    }

    private SubjectBlock Block(string subject) => SubjectBlock.Create(null, subject, _clock.GetUtcNow(), "root");
}
