using Gateway.Client.Doctor;

namespace Gateway.EndToEndTests.Doctor;

/// <summary>What a test of the doctor says of a diagnosis.</summary>
internal static class Findings
{
    /// <summary>The fault is named first, and nothing else is an error.</summary>
    public static void AssertNamesFirst(Diagnosis diagnosis, string id)
    {
        var text = new StringWriter();
        DoctorReport.Write(diagnosis, text);
        Assert.True(
            diagnosis.Findings[0].Id == id && diagnosis.Findings[0].Severity >= Severity.Warning,
            $"{id} is not named first:\n{text}");
        Assert.True(
            diagnosis.Findings.All(finding => finding.Severity < Severity.Error || finding.Id == id),
            $"more than {id} is an error:\n{text}");
        Assert.DoesNotContain("the check failed", text.ToString(), StringComparison.Ordinal);

        // Evidence, cause and fix are there for each problem.
        Assert.All(diagnosis.Findings.Where(static finding => finding.Severity >= Severity.Warning), static finding =>
        {
            Assert.NotEmpty(finding.Evidence);
            Assert.NotNull(ProblemCatalog.Instance.Find(finding.Id));
        });
    }

    /// <summary>Nothing above information, and every check ran.</summary>
    public static void AssertWell(Diagnosis diagnosis)
    {
        var text = new StringWriter();
        DoctorReport.Write(diagnosis, text);
        Assert.True(diagnosis.Worst <= Severity.Information, text.ToString());
        Assert.Equal(DoctorReport.Healthy, DoctorReport.ExitCodeOf(diagnosis));
    }
}
