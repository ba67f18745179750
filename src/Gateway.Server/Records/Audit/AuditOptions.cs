using Gateway.Foundation.Configuration;

namespace Gateway.Server.Records.Audit;

/// <summary>The audit trail: one line of JSON for every decision and every change (docs/audit.md).</summary>
public sealed class AuditOptions
{
    /// <summary>Whether there is an audit trail. Without one nobody can say afterwards who pushed what.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>
    /// Whether the lines go to standard output, among the log's; unless <c>file.path</c> is set too, they go only there.
    /// </summary>
    public bool Stdout { get; set; }

    /// <summary>The file that the lines go to.</summary>
    public AuditFileOptions File { get; set; } = new();

    /// <summary>
    /// Whether each decision is a line of its own, on the disk (fdatasync) before the request has any effect. It costs
    /// every request the disk's time, which simultaneous requests share.
    /// </summary>
    public bool WriteAhead { get; set; }

    /// <summary>
    /// What happens while lines cannot be written: <c>block</c> answers 503 before any effect; <c>dropAndCount</c> goes
    /// on and, once lines can be written again, writes how many were lost.
    /// </summary>
    public AuditFailureMode OnFailure { get; set; } = AuditFailureMode.Block;
}

/// <summary>The audit file.</summary>
public sealed class AuditFileOptions
{
    /// <summary>
    /// The file, readable by the gateway's account only; its folder is made where it is missing. Unless set,
    /// <c>audit.jsonl</c> in the state folder.
    /// </summary>
    [PathSetting]
    public string? Path { get; set; }

    /// <summary>The size, in MiB, at which a new file is begun; 0: never.</summary>
    public int MaxSizeMiB { get; set; } = 100;

    /// <summary>The age at which a new file is begun; 0s: never.</summary>
    public TimeSpan MaxAge { get; set; } = TimeSpan.FromDays(1);

    /// <summary>
    /// How many finished files are kept beside the current one; 0: all. Whoever can make many requests can push the
    /// oldest out: ship them elsewhere.
    /// </summary>
    public int Keep { get; set; } = 90;

    /// <summary>Whether each line carries a hash over itself and all before it, so that changes can be found.</summary>
    public bool HashChain { get; set; } = true;

    /// <summary>
    /// The key of the hashes, 32 characters at least. With it (HMAC) nobody who has only the files can make a chain
    /// that verifies; without it (SHA-256) anybody can. Keep a copy: without the key nothing can be verified.
    /// </summary>
    [SecretSetting]
    public string? HashKey { get; set; }
}

/// <summary>What happens while audit lines cannot be written.</summary>
public enum AuditFailureMode
{
    /// <summary>503 before any effect.</summary>
    Block,

    /// <summary>The gateway goes on and counts what it could not write.</summary>
    DropAndCount,
}
