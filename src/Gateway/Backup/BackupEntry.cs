namespace Gateway.Backup;

/// <summary>One file of a backup, as its manifest lists it.</summary>
internal sealed record BackupEntry
{
    /// <summary>Its path: relative to the configuration's folder, or absolute for files outside it.</summary>
    public required string Path { get; init; }

    /// <summary>The setting that names it, for people: <c>tls.certificates[0].key</c>.</summary>
    public required string Setting { get; init; }

    /// <summary>Its length in bytes.</summary>
    public required long Size { get; init; }

    /// <summary>Its rights, as chmod(1) writes them: <c>0600</c>.</summary>
    public required string Mode { get; init; }

    /// <summary>The SHA-256 of its content, in lower-case hex.</summary>
    public required string Sha256 { get; init; }
}
