namespace Gateway.Client.Doctor.Explain;

/// <summary>How much a message says about what is wrong.</summary>
internal enum ProblemKind
{
    /// <summary>It names what is wrong: an expired certificate, a refused password.</summary>
    Cause,

    /// <summary>It names only a result, such as 401, which may have several reasons.</summary>
    Symptom,

    /// <summary>It is wrapped around other messages and says nothing by itself.</summary>
    Envelope,
}
