using Gateway.Server.Requests.Redis;
using Gateway.Server.Store.State;
using Gateway.Server.Store.State.Sqlite;

namespace Gateway.Server.Store.Identities;

/// <summary>What the host knows of identities.</summary>
internal static class IdentityServiceExtensions
{
    /// <summary>Adds <see cref="IIdentityStore"/>, where the credentials are.</summary>
    public static IServiceCollection AddIdentities(this IServiceCollection services, StateOptions state) =>
        services.AddSingleton<IIdentityStore>(provider => state.Store == StateStoreKind.Sqlite
            ? new SqliteIdentityStore(provider.GetRequiredService<SqliteDatabase>())
            : new RedisIdentityStore(provider.GetRequiredService<RedisConnection>()));
}
