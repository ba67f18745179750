using Gateway.Foundation.Configuration;

namespace Gateway.Server.Records.Audit;

/// <summary>The audit trail: one line of JSON for every decision and every change (docs/audit.md).</summary>
public sealed class AuditOptions
{
    /// <summary>Whether to write an audit trail. Without one, nobody can find out later who pushed what.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>
    /// Whether to write the lines to standard output, between those of the log; unless <c>file.path</c> is set as well,
    /// they go only there.
    /// </summary>
    public bool Stdout { get; set; }

    /// <summary>The audit file.</summary>
    public AuditFileOptions File { get; set; } = new();

    /// <summary>
    /// Whether to write a separate line for each decision to disk (fdatasync) before the request has any effect. Every
    /// request then waits for the disk; simultaneous requests share one wait.
    /// </summary>
    public bool WriteAhead { get; set; }

    /// <summary>
    /// What happens while lines cannot be written: <c>block</c> answers 503 before any effect; <c>dropAndCount</c>
    /// serves requests and, once lines can be written again, records how many were lost.
    /// </summary>
    public AuditFailureMode OnFailure { get; set; } = AuditFailureMode.Block;
}

/// <summary>The audit file.</summary>
public sealed class AuditFileOptions
{
    /// <summary>
    /// The file, readable only by the gateway's account; the gateway creates its folder if it is missing. By default
    /// <c>audit.jsonl</c> in the state folder.
    /// </summary>
    [PathSetting]
    public string? Path { get; set; }

    /// <summary>The size, in MiB, at which the gateway starts a new file; 0: never.</summary>
    public int MaxSizeMiB { get; set; } = 100;

    /// <summary>The age at which the gateway starts a new file; 0s: never.</summary>
    public TimeSpan MaxAge { get; set; } = TimeSpan.FromDays(1);

    /// <summary>
    /// How many finished files to keep in addition to the current one; 0: all. Anyone who can send many requests can
    /// force out the oldest ones: ship them elsewhere.
    /// </summary>
    public int Keep { get; set; } = 90;

    /// <summary>
    /// Whether each line has a hash over itself and all lines before it, so that changes can be detected.
    /// </summary>
    public bool HashChain { get; set; } = true;

    /// <summary>
    /// The key of the hashes, at least 32 characters. With it (HMAC), someone who has only the files cannot create a
    /// chain that verifies; without it (SHA-256), anyone can. Keep a copy: without the key nothing can be verified.
    /// </summary>
    [SecretSetting]
    public string? HashKey { get; set; }
}

/// <summary>What happens while audit lines cannot be written.</summary>
public enum AuditFailureMode
{
    /// <summary>503 before any effect.</summary>
    Block,

    /// <summary>The gateway serves requests and counts the lines that it could not write.</summary>
    DropAndCount,
}
