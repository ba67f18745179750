using System.Text.Json;
using Gateway.Client.Doctor;

namespace Gateway.Tests.Client.Doctor;

/// <summary>What people and programs read of a diagnosis.</summary>
public sealed class DoctorReportTests
{
    [Fact]
    public void ExitCode_IsThatOfTheWorst_AndNothingIsNotHealthy()
    {
        var diagnosis = new Diagnosis();
        Assert.Equal(DoctorReport.Incomplete, DoctorReport.ExitCodeOf(diagnosis));
        diagnosis.Pass("TLS", "x", "well");
        diagnosis.Inform("TLS011", "x", "y");
        Assert.Equal(0, DoctorReport.ExitCodeOf(diagnosis));
        diagnosis.NotRun("TLS", "x", "y");
        Assert.Equal(3, DoctorReport.ExitCodeOf(diagnosis));
        diagnosis.Warn("TLS003", "x", "y");
        Assert.Equal(1, DoctorReport.ExitCodeOf(diagnosis));
        diagnosis.Error("TLS004", "x", "y");
        Assert.Equal(2, DoctorReport.ExitCodeOf(diagnosis));
        Assert.Equal(
            ["TLS004", "TLS003", "TLS", "TLS011", "TLS"], diagnosis.Findings.Select(static finding => finding.Id));
    }

    [Fact]
    public void Write_HostileTexts_StayOnTheirLineWithoutControlCharacters()
    {
        const string hostile = "a\u001b[2J\r\n✔ b\u009b1m\u202e\u2028c\u0000\ud800";
        var diagnosis = new Diagnosis();
        diagnosis.Error("TLS004", hostile, hostile, hostile);
        diagnosis.NotRun("TLS", hostile, hostile);
        var text = new StringWriter { NewLine = "\n" };
        DoctorReport.Write(diagnosis, text);
        Assert.Equal(9, text.ToString().Split('\n').Length);
        Assert.All(
            text.ToString().Where(static c => c != '\n'),
            static c => Assert.False(char.IsControl(c) || char.IsSurrogate(c) || c is '\u202e' or '\u2028'));

        using var json = new MemoryStream();
        DoctorReport.WriteJson(diagnosis, json);
        var first = JsonDocument.Parse(json.ToArray()).RootElement.GetProperty("findings")[0];
        Assert.DoesNotContain('\u001b', first.GetProperty("subject").GetString()!);
        Assert.DoesNotContain('\u001b', first.GetProperty("fix").GetString()!);
    }

    [Fact]
    public void WriteJson_HasItsShape()
    {
        var diagnosis = new Diagnosis();
        diagnosis.Warn("TLS003", "file", "soon");
        diagnosis.NotRun("NET", "name", "why");
        using var stream = new MemoryStream();
        DoctorReport.WriteJson(diagnosis, stream);
        var root = JsonDocument.Parse(stream.ToArray()).RootElement;
        Assert.Equal(("warning", 1), (root.GetProperty("worst").GetString(), root.GetProperty("exitCode").GetInt32()));
        var (problem, missing) = (root.GetProperty("findings")[0], root.GetProperty("findings")[1]);
        Assert.Equal(("TLS003", "warning", "file", "soon", "docs/problems/TLS003.md"), (
            problem.GetProperty("id").GetString(), problem.GetProperty("severity").GetString(),
            problem.GetProperty("subject").GetString(),
            problem.GetProperty("evidence").GetString(), problem.GetProperty("page").GetString()));
        Assert.Equal("notRun", missing.GetProperty("severity").GetString());
        Assert.False(missing.TryGetProperty("page", out _));
    }

    [Fact]
    public void Hide_SecretsAreNowhere_ShortTextsStay()
    {
        var diagnosis = new Diagnosis();
        diagnosis.Hide("pass/word");
        diagnosis.Hide("abc");
        diagnosis.Hide(null);
        diagnosis.Error("TKN001", "of pass/word", "401: pass/word, pass%2Fword, abc", "say pass/word");
        Assert.Equal(
            ("of …", "401: …, …, abc", "say …"),
            (diagnosis.Findings[0].Subject, diagnosis.Findings[0].Evidence, diagnosis.Findings[0].Fix));
    }

    [Fact]
    public async Task Attempt_PartThatThrows_IsNotRun_AndACancelledWholeEnds()
    {
        var diagnosis = new Diagnosis();
        await diagnosis.AttemptAsync(
            "UPS", "one", static () => throw new InvalidOperationException("odd"), CancellationToken.None);
        await diagnosis.AttemptAsync(
            "UPS", "two", static () => throw new TaskCanceledException(), CancellationToken.None);
        await diagnosis.AttemptAsync("UPS", "three", static () => Task.CompletedTask, CancellationToken.None);
        Assert.Equal(["one", "two"], diagnosis.Findings.Select(static finding => finding.Subject));
        Assert.All(diagnosis.Findings, static finding => Assert.Equal(Severity.NotRun, finding.Severity));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => diagnosis.AttemptAsync(
                "UPS", "x", static () => throw new TaskCanceledException(), new CancellationToken(canceled: true)));
    }

    [Fact]
    public void OneLine_LongText_IsCutBetweenCharacters() =>
        Assert.Equal(new string('a', 399) + "…", DoctorText.OneLine(new string('a', 399) + "😀😀"));
}
