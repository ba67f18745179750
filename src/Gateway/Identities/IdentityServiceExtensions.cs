using Gateway.Configuration;
using Gateway.Redis;
using Gateway.State;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Identities;

/// <summary>What the host and the commands know of identities.</summary>
internal static class IdentityServiceExtensions
{
    /// <summary>Adds <see cref="IIdentityStore"/>, where the credentials are.</summary>
    public static IServiceCollection AddIdentities(this IServiceCollection services, GatewayOptions options) =>
        services.AddSingleton<IIdentityStore>(provider => options.State.Store == StateStoreKind.Sqlite
            ? SqliteIdentityStore.Open(options.State.Folder)
            : new RedisIdentityStore(provider.GetRequiredService<RedisConnection>()));

    /// <summary>Opens the store for a command, beside a gateway that may run.</summary>
    /// <exception cref="ProblemException">The file, or that of Redis's authorities, cannot be used.</exception>
    public static IIdentityStore OpenForCommand(GatewayOptions options) => options.State.Store == StateStoreKind.Sqlite
        ? SqliteIdentityStore.Open(options.State.Folder)
        : new RedisIdentityStore(
            new RedisConnection(
                options.Redis!, TimeProvider.System, NullLogger<RedisConnection>.Instance, TimeSpan.FromSeconds(5)),
            ownsConnection: true);
}
