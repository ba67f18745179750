namespace Gateway.Client.Doctor;

/// <summary>Collects findings in the order of the checks: causes before their consequences.</summary>
internal sealed class Diagnosis
{
    private const int ShortestSecret = 4;
    private const int LongestFix = 2000;

    private readonly List<Finding> _findings = [];
    private readonly HashSet<string> _secrets = new(StringComparer.Ordinal);

    /// <summary>All findings, the worst first; equal ones in the order in which they were found.</summary>
    public IReadOnlyList<Finding> Findings => [.. _findings.OrderByDescending(static finding => finding.Severity)];

    /// <summary>The worst of all; <see cref="Severity.NotRun"/> if there are none, since nothing was checked.</summary>
    public Severity Worst => _findings.Count == 0 ? Severity.NotRun : _findings.Max(static finding => finding.Severity);

    /// <summary>Whether a problem of this id, or of this area, was found.</summary>
    public bool Has(string id, Severity least = Severity.Warning) =>
        _findings.Exists(finding => finding.Id.StartsWith(id, StringComparison.Ordinal) && finding.Severity >= least);

    /// <summary>Notes an error.</summary>
    public void Error(string id, string subject, string evidence, string? fix = null) =>
        Add(new Finding(id, Severity.Error, subject, evidence, fix));

    /// <summary>Notes a warning.</summary>
    public void Warn(string id, string subject, string evidence, string? fix = null) =>
        Add(new Finding(id, Severity.Warning, subject, evidence, fix));

    /// <summary>Notes something worth knowing.</summary>
    public void Inform(string id, string subject, string evidence, string? fix = null) =>
        Add(new Finding(id, Severity.Information, subject, evidence, fix));

    /// <summary>Notes that a check passed.</summary>
    public void Pass(string area, string subject, string evidence) =>
        Add(new Finding(area, Severity.Passed, subject, evidence));

    /// <summary>Notes that a check could not run: that must not count as passed.</summary>
    public void NotRun(string area, string subject, string reason, string? fix = null) =>
        Add(new Finding(area, Severity.NotRun, subject, reason, fix));

    /// <summary>
    /// Removes a secret from everything that is noted from now on: a server may repeat what it was sent.
    /// </summary>
    public void Hide(string? secret)
    {
        if (secret is { Length: >= ShortestSecret })
        {
            _secrets.Add(secret);
            _secrets.Add(Uri.EscapeDataString(secret));
        }
    }

    /// <summary>
    /// A text without the secrets; call this before cutting the text, so that no half of a secret is left.
    /// </summary>
    public string Redact(string text) =>
        _secrets.OrderByDescending(static secret => secret.Length).Aggregate(
            text, static (left, secret) => left.Replace(secret, "…", StringComparison.Ordinal));

    /// <summary>
    /// Runs a part of a check. An exception is noted as a part that could not run, so that the other parts still run.
    /// </summary>
    public async Task AttemptAsync(string area, string subject, Func<Task> part, CancellationToken cancellationToken)
    {
        try
        {
            await part();
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            NotRun(area, subject, "there was no answer in time");
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            NotRun(area, subject, $"the check failed: {DoctorText.Of(exception)}");
        }
    }

    // Everything that is printed may contain text from a server or a file.
    private void Add(Finding finding) => _findings.Add(finding with
    {
        Subject = DoctorText.OneLine(Redact(finding.Subject)),
        Evidence = DoctorText.OneLine(Redact(finding.Evidence)),
        Fix = finding.Fix is { } fix ? DoctorText.OneLine(Redact(fix), LongestFix) : null,
    });
}
