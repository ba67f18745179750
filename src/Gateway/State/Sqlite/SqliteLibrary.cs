using System.Runtime.InteropServices;
using Gateway.Configuration;
using SQLitePCL;

namespace Gateway.State.Sqlite;

/// <summary>The system's SQLite: its packager keeps it mended, which nobody does for a copy that we would ship.</summary>
internal static class SqliteLibrary
{
    private const string Library = "libsqlite3.so.0";

    // STRICT tables came with 3.37.
    private const int LeastVersion = 3_037_000;

    private static readonly Lazy<Problem?> Loaded = new(Load);

    /// <summary>Loads the library once.</summary>
    /// <returns>Why it cannot be used, or <see langword="null"/>.</returns>
    public static Problem? Check() => Loaded.Value;

    private static Problem? Load()
    {
        if (!NativeLibrary.TryLoad(Library, out var handle))
        {
            return new Problem(
                "state.store", $"SQLite ({Library}) is not on this system", null,
                "Install it: libsqlite3-0 (Debian, Ubuntu), sqlite-libs (Alpine, Fedora); or set state.store to redis.");
        }

        NativeLibrary.SetDllImportResolver(
            typeof(SQLite3Provider_e_sqlite3).Assembly,
            (name, _, _) => name == "e_sqlite3" ? handle : IntPtr.Zero); // the name of the bundle's own copy
        raw.SetProvider(new SQLite3Provider_e_sqlite3());
        return raw.sqlite3_libversion_number() >= LeastVersion
            ? null
            : new Problem(
                "state.store", $"SQLite ({Library}) is too old", raw.sqlite3_libversion().utf8_to_string(),
                "Install version 3.37 or newer, or set state.store to redis.");
    }
}
