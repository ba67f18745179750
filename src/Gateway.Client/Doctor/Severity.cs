namespace Gateway.Client.Doctor;

/// <summary>How much a finding matters. The order is that of the report, the worst last.</summary>
internal enum Severity
{
    /// <summary>The check ran and found nothing.</summary>
    Passed,

    /// <summary>Worth knowing; nothing to fix.</summary>
    Information,

    /// <summary>The check did not run, so the result is unknown.</summary>
    NotRun,

    /// <summary>It works now, but not for everybody or not forever.</summary>
    Warning,

    /// <summary>Somebody cannot sign in, pull or push because of it, or may do more than they should.</summary>
    Error,
}
