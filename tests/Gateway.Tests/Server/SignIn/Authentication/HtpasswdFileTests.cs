using System.Text;
using Gateway.Foundation.Configuration;
using Gateway.Server.SignIn.Authentication;

namespace Gateway.Tests.Server.SignIn.Authentication;

public class HtpasswdFileTests
{
    private const string Hash = "$2y$10$JVZo0SjMIkIr4aperbvjSeGfM8NCbnqEIQTXPpLqYQwWM8fRPquHe";
    private const string Sha = "$5$saltsalt$azOwbpkvuuBKkE82dQPwTsQE8JyT9Fflpr9aKid3aT9";

    [Fact]
    public void Parse_CommentsBlankLinesAndBothLineEnds_FindsTheUsers()
    {
        var file = Parse($"# jmeno: příliš žluťoučký\n\n  \t\n  # indented\nalice:{Hash}\r\nbob:{Hash}");
        Assert.Equal(2, file.Count);
        Assert.Equal(Hash, file.Find("alice")?.Text);
        Assert.Equal(Hash, file.Find("bob")?.Text);
    }

    [Fact]
    public void Find_OtherCase_IsAnotherUser()
    {
        var file = Parse($"alice:{Hash}\n");
        Assert.NotNull(file.Find("alice"));
        Assert.Null(file.Find("Alice"));
        Assert.Null(file.Find("alice "));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("# nobody yet\n")]
    public void Parse_NoUsers_IsAnEmptyFile(string content) => Assert.Equal(0, Parse(content).Count);

    [Fact]
    public void Parse_ManyFaults_TellsEveryOneWithLineAndFix()
    {
        var exception = Assert.Throws<ProblemException>(() => Parse(
            $"alice:{Hash}\n"
            + "bob:hunter2\n"
            + "carol:$apr1$aaaaaaaa$QONaFUFWK4sl8MZ3kFYiG.\n"
            + $"alice:{Hash}\n"
            + "hunter2\n"
            + $"da ve:{Hash}\n"
            + $":{Hash}\n"
            + "erin:$2y$05$JVZo0SjMIkIr4aperbvjSeGfM8NCbnqEIQTXPpLqYQwWM8fRPquHe\n"
            + $"frank:{Sha}\n"));
        Assert.Equal(
            """
            users:2: bob: password in plain text, which is not accepted. Set the password again: gateway user add --file users bob.
            users:3: carol: password hashed with MD5 (apr1), which is not accepted. Set the password again: gateway user add --file users carol.
            users:4: the user is already in line 1 (found "alice"). Remove one of the two.
            users:5: a line without ":". Write name:hash, or # before a comment.
            users:6: the user name holds U+0020 in column 3. A user name is 1 to 128 printable ASCII characters without white space, ":" and "/", and does not begin with "#".
            users:7: no user name before the ":". A user name is 1 to 128 printable ASCII characters without white space, ":" and "/", and does not begin with "#".
            users:8: erin: bcrypt cost outside 8 to 14 (found "5"). Set the password again: gateway user add --file users erin.
            users:9: frank: password hashed with sha256crypt, which is accepted only with allowShaCrypt. Set the password again: gateway user add --file users frank, or set authentication.htpasswd.allowShaCrypt: true while you migrate.
            """,
            exception.Message);
    }

    [Fact]
    public void Parse_ShaCryptWithTheOption_IsAccepted() =>
        Assert.Equal(
            1,
            HtpasswdFile.Parse("users", Bytes($"frank:{Sha}\n"), new HtpasswdOptions { AllowShaCrypt = true }).Count);

    [Fact]
    public void Parse_NeighbourNames_AreNotDuplicates() =>
        Assert.Equal(3, Parse($"alice:{Hash}\nAlice:{Hash}\nalic:{Hash}\n").Count);

    [Fact]
    public void Parse_ByteOrderMark_IsToldAndNotPartOfTheName()
    {
        var exception = Assert.Throws<ProblemException>(() => Parse($"\uFEFFalice:{Hash}\n"));
        Assert.Equal(
            "users:1: the file begins with a byte order mark. Save it as UTF-8 without one.", exception.Message);
    }

    [Theory]
    [InlineData("alice\u00FF:x\n")]
    [InlineData("# comment \u00FF\n")]
    public void Parse_InvalidUtf8_IsToldWithItsLine(string content)
    {
        var exception = Assert.Throws<ProblemException>(() =>
            HtpasswdFile.Parse("users", [.. "\n"u8, .. Encoding.Latin1.GetBytes(content)], new HtpasswdOptions()));
        Assert.Equal("users:2: the line is not UTF-8. Save the file as UTF-8.", exception.Message);
    }

    [Fact]
    public void Parse_Utf16_IsRefused() => Assert.Throws<ProblemException>(() =>
        HtpasswdFile.Parse("users", Encoding.Unicode.GetBytes($"alice:{Hash}\n"), new HtpasswdOptions()));

    [Fact]
    public void Parse_HundredsOfFaults_AreToldInPart()
    {
        var exception = Assert.Throws<ProblemException>(() => Parse(string.Concat(Enumerable.Repeat("x\n", 250))));
        Assert.Equal(101, exception.Problems.Count);
        Assert.Equal(
            "users: 150 more lines cannot be used. Fix those above first, and check that this is an htpasswd file.",
            exception.Problems[^1].ToString());
    }

    [Fact]
    public void Parse_RandomBytes_ThrowsNothingButProblemsAndShowsNoHash()
    {
        var random = new Random(7);
        var pieces = (string[])[
            "alice", ":", "$2y$10$", "$y$j9T$", "$5$rounds=", "secret", "\n", "\r", "#", "$", "\0", " ", "\uFEFF", "ä",
            ":" + Hash,
        ];
        for (var i = 0; i < 20_000; i++)
        {
            var text = string.Concat(
                Enumerable.Range(0, random.Next(12)).Select(_ => pieces[random.Next(pieces.Length)]));
            var bytes = Bytes(text);
            if (bytes.Length > 0 && random.Next(3) == 0)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            try
            {
                HtpasswdFile.Parse("users", bytes, new HtpasswdOptions());
            }
            catch (ProblemException exception)
            {
                Assert.DoesNotContain("JVZo0SjMIk", exception.Message, StringComparison.Ordinal);
                Assert.DoesNotContain(":secret", exception.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Load_MissingFile_SaysHowToMakeIt()
    {
        var exception = Assert.Throws<ProblemException>(
            () => HtpasswdFile.Load(new HtpasswdOptions { File = "/nowhere/users" }));
        Assert.Equal(
            "/nowhere/users: no such htpasswd file. Correct the path, or create the file with its first user: "
            + "gateway user add --file /nowhere/users alice.",
            exception.Message);
    }

    [Fact]
    public void Load_Folder_SaysSo()
    {
        var exception = Assert.Throws<ProblemException>(() => HtpasswdFile.Load(new HtpasswdOptions { File = "/tmp" }));
        Assert.Equal("/tmp: this is a folder. Name the htpasswd file in it.", exception.Message);
    }

    [Fact]
    public void Load_EndlessFile_StopsAtTheCap()
    {
        var exception = Assert.Throws<ProblemException>(
            () => HtpasswdFile.Load(new HtpasswdOptions { File = "/dev/zero" }));
        Assert.Equal(
            "/dev/zero: the file is larger than 16 MiB. Check that this is an htpasswd file.", exception.Message);
    }

    private static HtpasswdFile Parse(string content) =>
        HtpasswdFile.Parse("users", Bytes(content), new HtpasswdOptions());

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
