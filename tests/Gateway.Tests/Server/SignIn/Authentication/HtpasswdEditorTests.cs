#pragma warning disable CA1416 // the gateway runs on Linux
using System.Text;
using Gateway.Foundation.Configuration;
using Gateway.Server.SignIn.Authentication;

namespace Gateway.Tests.Server.SignIn.Authentication;

public sealed class HtpasswdEditorTests : IDisposable
{
    private const string Hash = "$2y$10$JVZo0SjMIkIr4aperbvjSeGfM8NCbnqEIQTXPpLqYQwWM8fRPquHe";
    private const UnixFileMode Mode0604 = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead;
    private const UnixFileMode Mode0640 = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-editor-").FullName;

    private string Users => Path.Combine(_folder, "users.htpasswd");

    [Theory]
    [InlineData("", "alice:H\n")]
    [InlineData("bob:x", "bob:x\nalice:H\n")]
    [InlineData(
        "# c\r\n\n alice:kept\nbob:x\r\nalice:old\r\nalic:y\nalicex:z",
        "# c\r\n\n alice:kept\nbob:x\r\nalice:H\r\nalic:y\nalicex:z\n")]
    [InlineData("alice:old", "alice:H\n")]
    [InlineData("#alice:old\nALICE:x\n", "#alice:old\nALICE:x\nalice:H\n")]
    [InlineData("alice:old\nbob:x\nalice:older\n", "alice:H\nbob:x\n")]
    [InlineData("\u00ff\u00fe\0\nalice:old\n", "\u00ff\u00fe\0\nalice:H\n")]
    public void Set_AnyFile_ChangesTheUsersLineAndNoOtherByteButEndsTheLastLine(string before, string after)
    {
        File.WriteAllBytes(Users, Encoding.Latin1.GetBytes(before));
        var isNew = HtpasswdEditor.Set(Users, "alice", Hash);
        Assert.Equal(
            after.Replace("H\r", Hash + "\r", StringComparison.Ordinal).Replace(
                "H\n", Hash + "\n", StringComparison.Ordinal), Read());
        Assert.Equal(
            !before.Contains("\nalice:", StringComparison.Ordinal)
                && !before.StartsWith("alice:", StringComparison.Ordinal), isNew);
    }

    [Fact]
    public void Set_NoFile_MakesOneThatOnlyOwnerAndGroupRead()
    {
        Assert.True(HtpasswdEditor.Set(Users, "alice", Hash));
        Assert.Equal($"alice:{Hash}\n", Read());
        Assert.Equal(Mode0640, File.GetUnixFileMode(Users));
    }

    [Fact]
    public void Set_ExistingFile_KeepsModeAndOwner()
    {
        File.WriteAllText(Users, "bob:x\n");
        File.SetUnixFileMode(Users, Mode0604);
        var isRoot = Environment.IsPrivilegedProcess;
        if (isRoot)
        {
            Assert.Equal(0, Tool.Run("chown", "", "1234:2345", Users).ExitCode);
        }

        HtpasswdEditor.Set(Users, "alice", Hash);
        Assert.Equal(Mode0604, File.GetUnixFileMode(Users));
        if (isRoot)
        {
            Assert.Equal("1234:2345\n", Tool.Run("stat", "", "-c", "%u:%g", Users).Output);
        }
    }

    [Fact]
    public void Set_SymbolicLink_ChangesWhatItPointsTo()
    {
        var target = Path.Combine(_folder, "target");
        File.WriteAllText(target, "bob:x\n");
        File.CreateSymbolicLink(Users, "target");
        HtpasswdEditor.Set(Users, "alice", Hash);
        Assert.Equal("target", new FileInfo(Users).LinkTarget);
        Assert.Equal($"bob:x\nalice:{Hash}\n", File.ReadAllText(target));
    }

    [Fact]
    public void Set_LeftoverOfAKilledProcess_IsReplaced()
    {
        File.WriteAllText(Users, "bob:x\n");
        var leftover = Path.Combine(_folder, ".users.htpasswd.tmp");
        File.WriteAllText(leftover, "half a li");
        HtpasswdEditor.Set(Users, "alice", Hash);
        Assert.Equal($"bob:x\nalice:{Hash}\n", Read());
        Assert.False(File.Exists(leftover));
    }

    [Fact]
    public void Set_ManyAtOnce_LosesNone()
    {
        Parallel.For(
            0, 64, new ParallelOptions { MaxDegreeOfParallelism = 16 },
            i => HtpasswdEditor.Set(Users, $"user{i}", Hash));
        Assert.Equal(64, HtpasswdFile.Load(new HtpasswdOptions { File = Users }).Count);
    }

    [Fact]
    public async Task Set_ReaderAtTheSameTime_SeesOnlyWholeFiles()
    {
        var options = new HtpasswdOptions { File = Users };
        HtpasswdEditor.Set(Users, "user0", Hash);
        var edits = Task.Run(() =>
        {
            for (var i = 1; i < 200; i++)
            {
                HtpasswdEditor.Set(Users, $"user{i}", Hash);
            }
        });
        var count = 1;
        while (!edits.IsCompleted)
        {
            var now = HtpasswdFile.Load(options).Count;
            Assert.True(now >= count, "a user was missing");
            count = now;
        }

        await edits;
    }

    [Fact]
    public void Set_MissingFolder_SaysSo()
    {
        var path = Path.Combine(_folder, "nowhere", "users");
        var exception = Assert.Throws<ProblemException>(() => HtpasswdEditor.Set(path, "alice", Hash));
        Assert.Equal(
            $"{path}: no such folder (found \"{_folder}/nowhere\"). Create it, or correct the path.",
            exception.Message);
    }

    [Fact]
    public void Remove_User_RemovesEveryLineOfTheirsAndNoOther()
    {
        File.WriteAllText(Users, $"# alice:\nalice:{Hash}\nalicex:{Hash}\r\nalice:old\n");
        Assert.True(HtpasswdEditor.Remove(Users, "alice"));
        Assert.Equal($"# alice:\nalicex:{Hash}\r\n", Read());
    }

    [Fact]
    public void Remove_UnknownUser_LeavesTheFileAlone()
    {
        File.WriteAllText(Users, $"alice:{Hash}\n");
        var written = File.GetLastWriteTimeUtc(Users);
        Assert.False(HtpasswdEditor.Remove(Users, "Alice"));
        Assert.Equal(written, File.GetLastWriteTimeUtc(Users));
    }

    [Fact]
    public void Remove_NoFile_SaysSo() =>
        Assert.StartsWith(
            $"{Users}: no such htpasswd file.",
            Assert.Throws<ProblemException>(() => HtpasswdEditor.Remove(Users, "alice")).Message,
            StringComparison.Ordinal);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Read() => Encoding.Latin1.GetString(File.ReadAllBytes(Users));
}
