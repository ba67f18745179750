namespace Gateway.Server.Store.State.Sqlite;

/// <summary>The store's tables, and how older ones become the present ones.</summary>
internal static class SqliteSchema
{
    /// <summary>Tells our files from other programs': "RGst".</summary>
    public const int ApplicationId = 0x52477374;

    /// <summary>When a credential's time to be remembered begins to run, as an expression that is indexed.</summary>
    public const string ForgottenAfter = "max(min(expires_at, coalesce(revoked_at, expires_at)), coalesce(kept_until, "
        + "0))";

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

        // Version 2. People that providers confirmed.
        """
        CREATE TABLE identities (
            method TEXT NOT NULL,
            name TEXT NOT NULL,
            document TEXT NOT NULL,
            version INTEGER NOT NULL,
            PRIMARY KEY (method, name)
        ) STRICT;
        """,

        // Version 3. What tells an ID token again in another form, and how long its credential must be remembered.
        // Jobs' credentials from before are kept for 400 days where they are revoked, or may be yet
        // (ICredentialStore.KeptUnlessKnown).
        """
        ALTER TABLE credentials ADD COLUMN identity BLOB CHECK (length(identity) = 32);
        ALTER TABLE credentials ADD COLUMN kept_until INTEGER;
        UPDATE credentials SET kept_until = coalesce(revoked_at, expires_at) + 400 * 864000000000
            WHERE document LIKE '{"kind":"workload"%'
            AND (revoked_at IS NOT NULL OR expires_at > (unixepoch() + 62135596800) * 10000000);
        CREATE UNIQUE INDEX credentials_by_identity ON credentials (identity);
        DROP INDEX credentials_by_end;
        CREATE INDEX credentials_by_end
            ON credentials (max(min(expires_at, coalesce(revoked_at, expires_at)), coalesce(kept_until, 0)));
        """,

        // Version 4. Whom operators blocked. A number is never used twice, so that the greatest tells whether any
        // changed.
        """
        CREATE TABLE blocks (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            subject TEXT NOT NULL UNIQUE,
            document TEXT NOT NULL,
            changed_at INTEGER NOT NULL
        ) STRICT;
        """,
    ];
}
