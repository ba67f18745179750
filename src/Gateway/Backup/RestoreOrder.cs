namespace Gateway.Backup;

/// <summary>What to restore, and what may be done for it.</summary>
internal sealed record RestoreOrder
{
    /// <summary>The archive.</summary>
    public required string Archive { get; init; }

    /// <summary>The folder that the configuration's folder becomes.</summary>
    public required string Target { get; init; }

    /// <summary>The passphrase; <see langword="null"/>: the archive is not encrypted.</summary>
    public string? Passphrase { get; init; }

    /// <summary>Another name for the configuration file.</summary>
    public string? ConfigurationName { get; init; }

    /// <summary>Whether files outside the configuration's folder go to their absolute places.</summary>
    public bool AllowAbsolute { get; init; }

    /// <summary>Whether what is there may be moved aside.</summary>
    public bool MayReplace { get; init; }

    /// <summary>Whether it is only said what would be done.</summary>
    public bool IsDryRun { get; init; }
}
