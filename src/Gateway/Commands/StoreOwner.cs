using System.Runtime.InteropServices;
using Gateway.Backup;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Files;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Store.State;
using Gateway.Server.Store.State.Sqlite;

namespace Gateway.Commands;

/// <summary>Keeps a command from leaving files in the state folder that the gateway's own user cannot write.</summary>
internal static partial class StoreOwner
{
    /// <summary>Inspects the store's place before a command opens the store, and perhaps creates it.</summary>
    /// <param name="options">The configuration, with the overrides of the command's environment.</param>
    /// <param name="warn">Receives what is most likely a mistake, though the command can work.</param>
    /// <exception cref="ProblemException">The command may not use the store.</exception>
    public static void Ensure(GatewayOptions options, Action<string> warn)
    {
        if ((Check(options.State) ?? StateElsewhere.FindMissingStore(options)) is { } problem)
        {
            throw new ProblemException(problem);
        }

        if (StateElsewhere.FindUnusedStore(options) is { } unused)
        {
            warn($"Warning: {unused}");
        }
    }

    /// <summary>Why a command may not use the store; <see langword="null"/> where it may.</summary>
    /// <remarks>
    /// A group that may write the store is not enough: the files that SQLite creates beside it would belong to the user
    /// of the command. Root may: SQLite gives them to the owner of the database (sqlite3, os_unix.c,
    /// <c>robustFchown</c>).
    /// </remarks>
    public static Problem? Check(StateOptions options) => options.Store == StateStoreKind.Sqlite
        ? Check(Path.Combine(options.Folder, SqliteDatabase.FileName), EffectiveUser())
        : null;

    internal static Problem? Check(string file, uint user) =>
        FileOwner.Read(file) is { } owner && user != 0 && owner.User != user
            ? new Problem(
                file,
                "the store belongs to another user",
                FormattableString.Invariant($"uid {owner.User}, and this command runs as {user}"),
                FormattableString.Invariant(
                    $"Run the command as that user: sudo -u '#{owner.User}' gateway …"))
            : null;

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint EffectiveUser();
}
