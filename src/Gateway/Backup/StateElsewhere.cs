using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Host.Control;
using Gateway.Server.Store.Keys;
using Gateway.Server.Store.State;
using Gateway.Server.Store.State.Sqlite;

namespace Gateway.Backup;

/// <summary>
/// Detects that a command would use another store, or other keys, than the gateway that runs with the same
/// configuration: the command then lacks variables of the gateway's environment, and what it creates would be useless.
/// </summary>
internal static class StateElsewhere
{
    private const string Fix =
        "Run the command where the gateway runs (docker exec CONTAINER gateway …), or give it the gateway's GATEWAY__ "
        + "variables, such as GATEWAY__State__Folder.";

    /// <summary>
    /// Why a command must not create a store, because a running gateway has one already; none if it exists here.
    /// </summary>
    public static Problem? FindMissingStore(GatewayOptions options)
    {
        if (StoreOf(options) is not { } store || File.Exists(store))
        {
            return null;
        }

        if (ControlSocket.IsServed(ControlSocket.PathOf(options)))
        {
            return new Problem(
                store, "there is no store here, although a gateway runs with this folder", null,
                "If it was removed, restore it or restart the gateway; otherwise give the command the gateway's "
                    + "GATEWAY__ variables, such as GATEWAY__State__Store.");
        }

        return RunningMark.IsSeen(options)
            ? new Problem(
                store, $"there is no store here, but the gateway that runs with {options.File} has one elsewhere",
                null, Fix)
            : null;
    }

    /// <summary>A warning about a store that the running gateway does not use.</summary>
    public static Problem? FindUnusedStore(GatewayOptions options)
    {
        try
        {
            return StoreOf(options) is { } store && File.Exists(store) && RunningMark.IsSeen(options)
                && RunningGateway.Find(options.State.Folder) is null
                    ? new Problem(
                        store, $"no gateway uses this store; the one that runs with {options.File} uses another",
                        null, Fix)
                    : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null; // unknown; opening the store reports why
        }
    }

    /// <summary>
    /// Why a command must not create keys, because a running gateway has some already; none if there are keys here.
    /// </summary>
    /// <remarks>
    /// If keys were removed while a gateway runs with this state folder, a command creates new ones on purpose.
    /// </remarks>
    public static Problem? FindMissingKeys(GatewayOptions options)
    {
        if (options.Tokens.Keys.Store != SigningKeyStoreKind.Folder)
        {
            return null;
        }

        var folder = options.KeyFolderPath();
        return !KeyFolder.HasKeys(folder) && RunningMark.IsSeen(options)
            && RunningGateway.Find(options.State.Folder) is null
            ? new Problem(
                folder, $"there are no signing keys here, but the gateway that runs with {options.File} has some "
                    + "elsewhere", null, Fix)
            : null;
    }

    private static string? StoreOf(GatewayOptions options) => options.State.Store == StateStoreKind.Sqlite
        ? Path.Combine(options.State.Folder, SqliteDatabase.FileName)
        : null;
}
