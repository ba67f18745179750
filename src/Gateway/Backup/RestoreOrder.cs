namespace Gateway.Backup;

/// <summary>What to restore, and how.</summary>
internal sealed record RestoreOrder
{
    /// <summary>The archive.</summary>
    public required string Archive { get; init; }

    /// <summary>The folder to restore to, which becomes the configuration's folder.</summary>
    public required string Target { get; init; }

    /// <summary>The passphrase; <see langword="null"/>: the archive is not encrypted.</summary>
    public string? Passphrase { get; init; }

    /// <summary>A new name for the configuration file.</summary>
    public string? ConfigurationName { get; init; }

    /// <summary>Whether files outside the configuration's folder are restored to their absolute paths.</summary>
    public bool AllowAbsolute { get; init; }

    /// <summary>Whether existing files may be moved aside.</summary>
    public bool MayReplace { get; init; }

    /// <summary>Whether to print what would be done, without doing it.</summary>
    public bool IsDryRun { get; init; }
}
