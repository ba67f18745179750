namespace Gateway.Doctor;

/// <summary>Collects findings in the order in which checks run: causes before what follows from them.</summary>
internal sealed class Diagnosis
{
    private readonly List<Finding> _findings = [];

    /// <summary>Everything found, the worst first, and of equals the one that was found first.</summary>
    public IReadOnlyList<Finding> Findings => [.. _findings.OrderByDescending(static finding => finding.Severity)];

    /// <summary>The worst of all; <see cref="Severity.Passed"/> where there is nothing.</summary>
    public Severity Worst => _findings.Count == 0 ? Severity.Passed : _findings.Max(static finding => finding.Severity);

    /// <summary>Whether a problem of this id, or of this area, was found.</summary>
    public bool Has(string id, Severity least = Severity.Warning) =>
        _findings.Exists(finding => finding.Id.StartsWith(id, StringComparison.Ordinal) && finding.Severity >= least);

    /// <summary>Notes an error.</summary>
    public void Error(string id, string subject, string evidence, string? cure = null) =>
        Add(new Finding(id, Severity.Error, subject, evidence, cure));

    /// <summary>Notes a warning.</summary>
    public void Warn(string id, string subject, string evidence, string? cure = null) =>
        Add(new Finding(id, Severity.Warning, subject, evidence, cure));

    /// <summary>Notes something worth knowing.</summary>
    public void Inform(string id, string subject, string evidence, string? cure = null) =>
        Add(new Finding(id, Severity.Information, subject, evidence, cure));

    /// <summary>Notes that something is well.</summary>
    public void Pass(string area, string subject, string evidence) => Add(new Finding(area, Severity.Passed, subject, evidence));

    /// <summary>Notes that a check could not run: it must not be taken for passed.</summary>
    public void NotRun(string area, string subject, string reason, string? cure = null) =>
        Add(new Finding(area, Severity.NotRun, subject, reason, cure));

    private void Add(Finding finding) => _findings.Add(finding with { Evidence = DoctorText.OneLine(finding.Evidence) });
}
