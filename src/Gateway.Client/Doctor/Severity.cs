namespace Gateway.Client.Doctor;

/// <summary>How much a finding matters. The order is that of the report, the worst last.</summary>
internal enum Severity
{
    /// <summary>The check ran and found nothing.</summary>
    Passed,

    /// <summary>Worth knowing; nothing to mend.</summary>
    Information,

    /// <summary>The check did not run, so nobody knows.</summary>
    NotRun,

    /// <summary>It works now, and will not for everybody or for ever.</summary>
    Warning,

    /// <summary>Somebody cannot sign in, pull or push for it, or may do more than he should.</summary>
    Error,
}
