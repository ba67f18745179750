namespace Gateway.State.Sqlite;

/// <summary>The store's tables, and how older ones become the present ones.</summary>
internal static class SqliteSchema
{
    /// <summary>Tells our files from other programs': "RGst".</summary>
    public const int ApplicationId = 0x52477374;

    /// <summary>
    /// What leads from one version to the next, each in a transaction of its own. Entries are added, never changed:
    /// files out there have run them.
    /// </summary>
    public static readonly IReadOnlyList<string> Migrations =
    [
        // Version 1. Instants are ticks of UTC. Positions are never used twice, or a reader would miss a change.
        """
        CREATE TABLE credentials (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
            owner TEXT NOT NULL,
            document TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            revoked_at INTEGER,
            last_used_at INTEGER,
            last_used_from TEXT
        ) STRICT;
        CREATE INDEX credentials_by_owner ON credentials (owner);
        CREATE INDEX credentials_by_end ON credentials (min(expires_at, coalesce(revoked_at, expires_at)));
        CREATE TABLE changes (
            position INTEGER PRIMARY KEY AUTOINCREMENT,
            kind TEXT NOT NULL,
            key TEXT NOT NULL,
            at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX changes_by_time ON changes (at);
        """,

        // Version 2. People that providers vouched for.
        """
        CREATE TABLE identities (
            method TEXT NOT NULL,
            name TEXT NOT NULL,
            document TEXT NOT NULL,
            version INTEGER NOT NULL,
            PRIMARY KEY (method, name)
        ) STRICT;
        """,
    ];
}
