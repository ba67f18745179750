using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Control;
using Gateway.Server.Store.State.Sqlite;

namespace Gateway.Backup;

/// <summary>Finds a gateway that uses a state folder.</summary>
internal static class RunningGateway
{
    /// <summary>Whether one runs; a missing folder has none.</summary>
    public static Problem? Find(string stateFolder)
    {
        if (ControlSocket.IsServed(Path.Combine(stateFolder, ControlSocket.FileName)))
        {
            return new Problem(stateFolder, "a gateway is running with this state folder", null, "Stop it first.");
        }

        var store = Path.Combine(stateFolder, SqliteDatabase.FileName);
        return SqliteFile.IsInUse(store)
            ? new Problem(store, "a gateway, or a command of it, has the store open", null,
                "Stop it first; find it with fuser -v FILE.")
            : null;
    }

    /// <summary>Whether one uses any state folder below a folder, whatever its name in the configuration.</summary>
    public static Problem? FindBelow(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return null;
        }

        var options = new EnumerationOptions
        {
            RecurseSubdirectories = true,
            MaxRecursionDepth = 8,
            IgnoreInaccessible = true,
            AttributesToSkip = FileAttributes.ReparsePoint,
        };
        return new[] { ControlSocket.FileName, SqliteDatabase.FileName }
            .SelectMany(name => Directory.EnumerateFiles(folder, name, options))
            .Select(static file => Path.GetDirectoryName(file)!)
            .Distinct(StringComparer.Ordinal)
            .Select(Find)
            .FirstOrDefault(static problem => problem is not null);
    }
}
