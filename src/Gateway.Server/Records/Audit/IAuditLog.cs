namespace Gateway.Server.Records.Audit;

/// <summary>Takes entries that no request waits for.</summary>
internal interface IAuditLog
{
    /// <summary>Hands over a line.</summary>
    void Record(AuditEntry entry);
}
