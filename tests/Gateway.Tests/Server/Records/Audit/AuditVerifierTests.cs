using Gateway.Server.Records.Audit;
using Gateway.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Server.Records.Audit;

/// <summary>Whatever somebody does to the files is found, and told at its place.</summary>
public sealed class AuditVerifierTests : IDisposable
{
    private const string Key = "a key that nobody else has, 32 characters or more";
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private readonly string _path;
    private readonly string _finished;
    private string? _key = Key;

    public AuditVerifierTests()
    {
        _path = Path.Combine(_folder.Path, "audit.jsonl");
        Make();
        _finished = AuditFileSet.Finished(_path).Single();
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Files_AsTheyWereWritten_Hold()
    {
        var verifier = Verify();

        Assert.Empty(verifier.Findings);
        Assert.Equal(
            (10L, 1L, 10L), (verifier.Lines, verifier.FirstSequence!.Value, verifier.Position!.Value.Sequence));
    }

    [Fact]
    public void Line_Edited_IsFoundAloneAndAtItsPlace()
    {
        Edit(_path, static lines => lines[2] = lines[2].Replace("1.7", "9.9", StringComparison.Ordinal));

        Assert.Equal(["audit.jsonl:3: line 8 or the line before it was changed"], Verify().Findings);
    }

    [Fact]
    public void Line_EditedByOneByteOfAHash_IsFound()
    {
        Edit(_finished, static lines => lines[1] = lines[1][..^4] + (lines[1][^4] == 'A' ? 'B' : 'A') + lines[1][^3..]);

        Assert.NotEmpty(Verify().Findings);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Chain_TakenFromTheVeryFirstLine_IsFound(bool whole)
    {
        // Without this the file would pass for one that never had a chain, and all behind could be edited.
        Edit(_finished, lines =>
        {
            lines[0] = System.Text.RegularExpressions.Regex.Replace(
                lines[0], whole ? ",\"(chain|prev|hash)\":\"[^\"]*\"|,\"seq\":\\d+" : ",\"hash\":\"[^\"]*\"", "");
            lines[1] = lines[1].Replace("1.1", "9.9", StringComparison.Ordinal);
        });

        Assert.NotEmpty(Verify().Findings);
    }

    [Fact]
    public void File_ThatNeverHadAChain_IsANoteAndNoFinding()
    {
        foreach (var file in new[] { _finished, _path })
        {
            Edit(file, static lines =>
            {
                for (var i = 0; i < lines.Count; i++)
                {
                    lines[i] = System.Text.RegularExpressions.Regex.Replace(
                        lines[i], ",\"(chain|prev|hash)\":\"[^\"]*\"|,\"seq\":\\d+", "");
                }
            });
        }

        var verifier = Verify();
        Assert.Empty(verifier.Findings);
        Assert.Contains(verifier.Notes, static note => note.Contains("no hash chain", StringComparison.Ordinal));
    }

    [Fact]
    public void Line_WithAMemberAddedBehindTheHash_IsFound()
    {
        Edit(_path, static lines => lines[2] = lines[2][..^1] + ",\"decision\":\"allow\"}");

        Assert.Equal(
            ["audit.jsonl:3: this line has no hash: it was not written by the gateway", "audit.jsonl:4: 1 line before "
                + "number 9 is missing, starting with number 8"],
            Verify().Findings);
    }

    [Theory]
    [InlineData(1, "audit.jsonl:2: 1 line before number 8 is missing, starting with number 7")]
    [InlineData(3, "audit.jsonl:4: 1 line before number 10 is missing, starting with number 9")]
    public void Line_Removed_IsFound(int index, string finding)
    {
        Edit(_path, lines => lines.RemoveAt(index));

        Assert.Equal([finding], Verify().Findings);
    }

    [Fact]
    public void Lines_RemovedAtAFilesEnd_AreFoundByTheNextFile()
    {
        Edit(_finished, static lines => lines.RemoveRange(3, 2));

        Assert.Equal(
            ["audit.jsonl:1: this file does not continue from line 3, the last one before it", "audit.jsonl:1: 2 "
                + "lines before number 6 are missing, starting with number 4"],
            Verify().Findings);
    }

    [Fact]
    public void Line_RemovedAtAFilesBeginning_IsFound()
    {
        Edit(_path, static lines => lines.RemoveAt(0));

        Assert.NotEmpty(Verify().Findings);
    }

    [Fact]
    public void Lines_InAnotherOrder_AreFound()
    {
        Edit(_path, static lines => (lines[2], lines[3]) = (lines[3], lines[2]));

        Assert.Contains(
            "audit.jsonl:4: number 8 comes after number 9: lines were added or reordered", Verify().Findings);
    }

    [Theory]
    [InlineData(
        "{\"v\":1,\"event\":\"registry\",\"decision\":\"allow\"}",
        "audit.jsonl:3: this line has no hash: it was not written by the gateway")]
    [InlineData("not json at all", "audit.jsonl:3: this is not an audit line")]
    [InlineData("", "audit.jsonl:3: this is not an audit line")]
    public void Line_Added_IsFound(string line, string finding)
    {
        Edit(_path, lines => lines.Insert(2, line));

        Assert.Equal([finding], Verify().Findings);
    }

    [Fact]
    public void Line_CopiedFromElsewhereInTheChain_IsFound()
    {
        Edit(_path, static lines => lines.Insert(3, lines[1]));

        Assert.NotEmpty(Verify().Findings);
    }

    [Fact]
    public void File_Removed_IsFound()
    {
        _time.Advance(TimeSpan.FromHours(2));
        Write(2);
        var middle = AuditFileSet.Finished(_path)[1];
        File.Delete(middle);

        Assert.NotEmpty(Verify().Findings);
    }

    [Fact]
    public void OldestFile_Removed_IsToldAsANote()
    {
        File.Delete(_finished);

        var verifier = Verify();
        Assert.Empty(verifier.Findings);
        Assert.Equal(
            "audit.jsonl:1: the first line is number 6; these files do not contain the lines before it",
            Assert.Single(verifier.Notes));
    }

    [Fact]
    public void Piece_OfALineAtTheEnd_IsFound()
    {
        File.WriteAllText(_path, File.ReadAllText(_path)[..^20]);

        Assert.Equal(
            ["audit.jsonl:5: the last line is incomplete: a write was interrupted, or the file was cut off"],
            Verify().Findings);
    }

    [Fact]
    public void WholeLines_CutOffTheEnd_AreFoundByAPositionNotedBefore()
    {
        var noted = Verify().Position!.Value;
        Edit(_path, static lines => lines.RemoveAt(4));

        Assert.Empty(Verify().Findings); // what nobody can know from the files alone
        Assert.Equal(
            ["line 10 with the expected hash is missing: the end was cut off, or the whole chain was rewritten"],
            Verify(noted).Findings);
    }

    [Fact]
    public void Position_NotedBefore_IsFoundAgainWhenTheChainHasGoneOn()
    {
        var noted = Verify().Position!.Value;
        Write(3);

        Assert.Empty(Verify(noted).Findings);
    }

    [Fact]
    public void Chain_MadeAnewWithAnotherKey_DoesNotVerify()
    {
        _key = "what somebody else made up, of 32 characters or more";
        Remake();
        _key = Key;

        Assert.NotEmpty(Verify().Findings);
    }

    [Fact]
    public void Chain_MadeAnewWithoutAKey_DoesNotVerifyWithOne()
    {
        _key = null;
        Remake();
        _key = Key;

        Assert.NotEmpty(Verify().Findings);
    }

    [Fact]
    public void Chain_MadeAnewWithTheSameKey_IsFoundByAPositionNotedBefore()
    {
        var noted = Verify().Position!.Value;
        _time.Advance(TimeSpan.FromSeconds(1));
        Remake();

        Assert.Empty(Verify().Findings);
        Assert.NotEmpty(Verify(noted).Findings);
    }

    private static void Edit(string file, Action<List<string>> edit)
    {
        var lines = File.ReadAllLines(file).ToList();
        edit(lines);
        File.WriteAllText(file, string.Concat(lines.Select(static line => line + "\n")));
    }

    private void Make()
    {
        Write(5);
        _time.Advance(TimeSpan.FromHours(2));
        Write(5);
    }

    private void Remake()
    {
        Directory.GetFiles(_folder.Path).ToList().ForEach(File.Delete);
        Make();
    }

    private void Write(int count)
    {
        using var file = new AuditFile(
            new AuditFileOptions { Path = _path, MaxAge = TimeSpan.FromHours(1), HashKey = _key }, _time);
        for (var i = 0; i < count; i++)
        {
            var number = (File.Exists(_path) ? 5 : 0) + i;
            file.Write(
                [new LifecycleEntry(_time.GetUtcNow(), true, new AuditOptions(), $"1.{number}")], durable: false);
        }
    }

    private AuditVerifier Verify(ChainPosition? expected = null)
    {
        var verifier = new AuditVerifier(new HashChain(_key)) { Expected = expected };
        verifier.Verify([.. AuditFileSet.Finished(_path), _path]);
        return verifier;
    }
}
