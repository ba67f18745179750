using Gateway.Core.Registry;
using Gateway.Foundation.Configuration;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Redis;
using Gateway.Server.Requests.Reloading;

namespace Gateway.Server.Store.Keys;

/// <summary>All that the host knows of signing keys.</summary>
internal static partial class SigningKeyServiceExtensions
{
    /// <summary>Adds <see cref="ISigningKeys"/> and what keeps them current.</summary>
    /// <param name="services">The host's.</param>
    /// <param name="settings">When keys come, sign and go.</param>
    /// <param name="options">Where they are.</param>
    /// <param name="stateFolder">The folder that holds their folder, unless the settings name another one.</param>
    public static IServiceCollection AddSigningKeys(
        this IServiceCollection services, SigningKeySettings settings, SigningKeyOptions options, string stateFolder)
    {
        services.AddSingleton(options);
        services.AddSingleton(provider => new SigningKeySchedule(
            settings, provider.GetRequiredService<TimeProvider>()));
        if (options.Store == SigningKeyStoreKind.Folder)
        {
            services.AddSingleton(provider => new KeyFolder(
                KeyFolder.PathFrom(options, stateFolder), provider.GetRequiredService<SigningKeySchedule>()));
            services.AddSingleton<ISigningKeyStore>(static provider => provider.GetRequiredService<KeyFolder>());
            services.AddSingleton(CreateRing);
            services.AddSingleton<IReloadable>(
                static provider => provider.GetRequiredService<Reloadable<SigningKeyRing>>());
            services.AddSingleton<ISigningKeys>(static provider =>
                new FolderSigningKeys(provider.GetRequiredService<Reloadable<SigningKeyRing>>()));
        }
        else
        {
            services.AddSingleton(provider => new RedisKeyStore(
                provider.GetRequiredService<RedisConnection>(), options.Password!));
            services.AddSingleton<ISigningKeyStore>(static provider => provider.GetRequiredService<RedisKeyStore>());
            services.AddSingleton<RedisSigningKeys>();
            services.AddSingleton<IReloadable>(static provider => provider.GetRequiredService<RedisSigningKeys>());
            services.AddSingleton<ISigningKeys>(static provider => provider.GetRequiredService<RedisSigningKeys>());
            services.AddHostedService(static provider => provider.GetRequiredService<RedisSigningKeys>());
        }

        services.AddHostedService<SigningKeyService>();
        return services;
    }

    /// <summary>Maps the JWK Set, and reads the keys, so that wrong ones stop the start.</summary>
    public static void MapSigningKeys(this IEndpointRouteBuilder endpoints)
    {
        var keys = endpoints.ServiceProvider.GetRequiredService<ISigningKeys>();
        endpoints.Map("/.well-known/jwks.json", context => WriteJwkSetAsync(context, keys));
    }

    /// <summary>What a start would fail with; nothing is made, and Redis is not asked.</summary>
    public static IEnumerable<Problem> Check(
        SigningKeySettings settings, SigningKeyOptions options, string stateFolder) =>
        options.Store == SigningKeyStoreKind.Folder
            ? new KeyFolder(
                KeyFolder.PathFrom(options, stateFolder), new SigningKeySchedule(settings, TimeProvider.System)).Check()
            : [];

    private static Task WriteJwkSetAsync(HttpContext context, ISigningKeys keys)
    {
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            return context.WriteErrorAsync(
                RegistryError.MethodNotAllowed("the keys are read-only; use GET or HEAD", "GET, HEAD"));
        }

        var set = keys.Current.JwkSet;
        context.Response.ContentType = "application/jwk-set+json";
        context.Response.ContentLength = set.Length;
        context.Response.Headers.CacheControl = "public, max-age=60"; // below SigningKeySchedule.PublicationDelay
        return HttpMethods.IsHead(context.Request.Method)
            ? Task.CompletedTask
            : context.Response.Body.WriteAsync(set, context.RequestAborted).AsTask();
    }

    private static Reloadable<SigningKeyRing> CreateRing(IServiceProvider provider)
    {
        var folder = provider.GetRequiredService<KeyFolder>();
        var schedule = provider.GetRequiredService<SigningKeySchedule>();
        var logger = provider.GetRequiredService<ILogger<Reloadable<SigningKeyRing>>>();
        if (folder.EnsureKey() is { } made)
        {
            Log.FirstMade(logger, schedule.Algorithm, made.Id);
        }

        return new Reloadable<SigningKeyRing>(
            "keys", () => folder.Paths, Load, provider.GetRequiredService<TimeProvider>(), logger);

        SigningKeyRing Load()
        {
            var keys = folder.Read();
            foreach (var unused in keys.Where(key => key.Algorithm != schedule.Algorithm))
            {
                Log.Unused(logger, unused.Id, unused.Algorithm, schedule.Algorithm);
            }

            return schedule.Usable(keys) is { Count: > 0 } usable
                ? new SigningKeyRing(usable)
                : throw new ProblemException(NoKey(folder.Location, schedule));
        }
    }

    /// <summary>A store has lost its keys while gateways run. They create none automatically then.</summary>
    internal static Problem NoKey(string source, SigningKeySchedule schedule) => new(
        source, $"there is no longer an {schedule.Algorithm} key", null,
        "Restore the keys, or create a new one, which invalidates all access tokens: gateway keys rotate --now.");

    private sealed class FolderSigningKeys(Reloadable<SigningKeyRing> ring) : ISigningKeys
    {
        public SigningKeyRing Current => ring.Current;
    }

    internal static partial class Log
    {
        [LoggerMessage(1110, LogLevel.Warning,
            "Signing key {Id} is for {Algorithm} and is not used: tokens.algorithm is {Configured}. "
            + "Other keys are in force.")]
        public static partial void Unused(
            ILogger logger, string id, SigningAlgorithm algorithm, SigningAlgorithm configured);

        [LoggerMessage(1116, LogLevel.Information, "There was no {Algorithm} signing key; {Id} was created.")]
        public static partial void FirstMade(ILogger logger, SigningAlgorithm algorithm, string id);
    }
}
