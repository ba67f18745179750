namespace Gateway.Server.Records.Audit;

/// <summary>Where lines go. For one caller at a time, on whatever thread.</summary>
internal interface IAuditSink : IDisposable
{
    /// <summary>What it is, in logs and lines: <c>file</c>, <c>stdout</c>.</summary>
    string Name { get; }

    /// <summary>
    /// Whether lines that are accepted now will find room when they come. Asked before every effect, from any thread.
    /// </summary>
    bool HasRoom { get; }

    /// <summary>Writes all entries or none.</summary>
    /// <param name="entries">At least one.</param>
    /// <param name="durable">Whether they must be on the disk when it returns, and not only with the system.</param>
    /// <exception cref="IOException">It cannot be done now.</exception>
    void Write(IReadOnlyList<AuditEntry> entries, bool durable);

    /// <summary>Opens anew what it writes to, at the next write. For any thread.</summary>
    void Reopen();
}
