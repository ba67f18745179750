using Gateway.Foundation.Configuration;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Redis;
using Gateway.Server.Store.State.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Server.Store.State;

/// <summary>What the host and the commands know of the store.</summary>
internal static class StateServiceExtensions
{
    private const string Bare = "bare";

    /// <summary>
    /// Adds <see cref="ICredentialStore"/>, <see cref="ICredentialDirectory"/> and <see cref="IRevocations"/>. Takes
    /// <see cref="TimeProvider"/>, logging and, where it is configured, <see cref="RedisConnection"/> from the
    /// services. With the file, also <see cref="SqliteDatabase"/>, for whatever else is kept in it.
    /// </summary>
    public static IServiceCollection AddStateStore(
        this IServiceCollection services, StateOptions state, RedisOptions? redis)
    {
        if (state.Store == StateStoreKind.Sqlite)
        {
            services.AddSingleton(_ => SqliteDatabase.Open(state.Folder));
        }

        services.AddKeyedSingleton(Bare, (provider, _) => Create(provider, state, redis));
        services.AddSingleton(provider => new RevocationFeed(
            Store(provider),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<RevocationFeed>>(),
            new BlockFile(state.Folder)));
        services.AddSingleton<IRevocations>(static provider => provider.GetRequiredService<RevocationFeed>());
        services.AddSingleton<IHealthPart>(static provider => provider.GetRequiredService<RevocationFeed>());
        services.AddSingleton<ICredentialStore>(static provider =>
            new AnnouncingCredentialStore(Store(provider), provider.GetRequiredService<RevocationFeed>()));
        services.AddSingleton(static provider =>
            new CredentialUses(Store(provider), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<ICredentialDirectory>(static provider => new CredentialDirectory(
            Store(provider),
            provider.GetRequiredService<RevocationFeed>(),
            provider.GetRequiredService<CredentialUses>(),
            provider.GetRequiredService<TimeProvider>()));
        services.AddHostedService(static provider => provider.GetRequiredService<RevocationFeed>());
        services.AddHostedService(static provider => provider.GetRequiredService<CredentialUses>());
        services.AddHostedService(static provider => new StatePruning(
            Store(provider),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<StatePruning>>()));
        return services;
    }

    /// <summary>Opens the store, which in Redis need not be there yet, and reads who is blocked beside it.</summary>
    /// <exception cref="ProblemException">A file cannot be used.</exception>
    public static void OpenStateStore(this IServiceProvider provider) => provider.GetRequiredService<RevocationFeed>();

    /// <summary>Opens the store for a command, beside a gateway that may run.</summary>
    /// <exception cref="ProblemException">The file, or that of Redis's authorities, cannot be used.</exception>
    public static ICredentialStore OpenForCommand(StateOptions state, RedisOptions? redis)
    {
        if (state.Store == StateStoreKind.Sqlite)
        {
            return SqliteCredentialStore.Open(state.Folder);
        }

        return OpenForCommand(redis!, ConnectForCommand(redis!), ownsConnection: true);
    }

    /// <summary>Opens the store in Redis for a command.</summary>
    public static ICredentialStore OpenForCommand(
        RedisOptions redis, RedisConnection connection, bool ownsConnection) =>
        new RedisCredentialStore(
            connection, redis, TimeProvider.System, NullLogger<RedisCredentialStore>.Instance, ownsConnection);

    /// <summary>
    /// Connects a command to Redis. Its first question waits for the connection, which no request to a gateway does.
    /// </summary>
    /// <exception cref="ProblemException">The file of Redis's authorities cannot be used.</exception>
    public static RedisConnection ConnectForCommand(RedisOptions redis) => new(
        redis, TimeProvider.System, NullLogger<RedisConnection>.Instance, TimeSpan.FromSeconds(5));

    /// <summary>Sees whether a start could use the folder and the file in it. It makes and opens nothing.</summary>
    /// <exception cref="ProblemException">It could not.</exception>
    public static void Check(StateOptions options)
    {
        _ = new BlockFile(options.Folder).Read();
        if (options.Store != StateStoreKind.Sqlite)
        {
            return;
        }

        var file = Path.Combine(options.Folder, SqliteDatabase.FileName);
        if (SqliteFile.Check(file, SqliteSchema.Migrations.Count) is { } problem)
        {
            throw new ProblemException(problem);
        }
    }

    private static ICredentialStore Store(IServiceProvider provider) =>
        provider.GetRequiredKeyedService<ICredentialStore>(Bare);

    private static ICredentialStore Create(IServiceProvider provider, StateOptions state, RedisOptions? redis)
    {
        if (state.Store == StateStoreKind.Sqlite)
        {
            return new SqliteCredentialStore(provider.GetRequiredService<SqliteDatabase>());
        }

        var store = new RedisCredentialStore(
            provider.GetRequiredService<RedisConnection>(),
            redis!,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<RedisCredentialStore>>());
        _ = store.ListenAsync(); // it never throws, and nothing waits for it
        return store;
    }
}
