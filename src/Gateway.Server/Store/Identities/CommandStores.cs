using Gateway.Foundation.Configuration;
using Gateway.Server.Requests.Redis;
using Gateway.Server.Store.State;
using Gateway.Server.Store.State.Sqlite;

namespace Gateway.Server.Store.Identities;

/// <summary>Credentials and identities as a command has them open, beside a gateway that may run.</summary>
internal sealed class CommandStores : IAsyncDisposable
{
    private readonly IAsyncDisposable _beneath;

    private CommandStores(ICredentialStore credentials, IIdentityStore identities, IAsyncDisposable beneath)
    {
        Credentials = credentials;
        Identities = identities;
        _beneath = beneath;
    }

    /// <summary>What was issued.</summary>
    public ICredentialStore Credentials { get; }

    /// <summary>Whose the names of providers are.</summary>
    public IIdentityStore Identities { get; }

    /// <summary>Opens both over one file, or over one connection to Redis.</summary>
    /// <exception cref="ProblemException">The file, or that of Redis's authorities, cannot be used.</exception>
    public static CommandStores Open(StateOptions state, RedisOptions? redis)
    {
        if (state.Store == StateStoreKind.Sqlite)
        {
            var database = SqliteDatabase.Open(state.Folder);
            return new CommandStores(new SqliteCredentialStore(database), new SqliteIdentityStore(database), database);
        }

        var connection = StateServiceExtensions.ConnectForCommand(redis!);
        return new CommandStores(
            StateServiceExtensions.OpenForCommand(redis!, connection, ownsConnection: false),
            new RedisIdentityStore(connection),
            connection);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Credentials.DisposeAsync();
        await _beneath.DisposeAsync();
    }
}
