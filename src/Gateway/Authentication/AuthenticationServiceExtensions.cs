using Gateway.Configuration;
using Gateway.Reloading;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Gateway.Authentication;

/// <summary>What the host knows of authentication.</summary>
internal static partial class AuthenticationServiceExtensions
{
    /// <summary>Adds <see cref="CredentialAuthenticator"/> and what it needs.</summary>
    /// <remarks>
    /// Takes <see cref="AuthenticationOptions"/>, <see cref="TimeProvider"/> and logging from the services. Resolving
    /// the authenticator reads the user file, and throws <see cref="ProblemException"/> where it is wrong.
    /// </remarks>
    public static IServiceCollection AddGatewayAuthentication(this IServiceCollection services)
    {
        services.TryAddSingleton<PasswordHasher>();
        services.TryAddSingleton(static provider => new HashWorkers(Options(provider).ConcurrentHashes));
        services.TryAddSingleton(static provider => new VerifiedCredentialCache(
            Options(provider).CacheSize, Options(provider).CacheLifetime, provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton(CreateUsers);
        services.AddSingleton<IReloadable>(static provider => provider.GetRequiredService<Reloadable<HtpasswdFile>>());
        services.AddSingleton<ICredentialVerifier, HtpasswdVerifier>();
        services.TryAddSingleton<CredentialAuthenticator>();
        return services;
    }

    private static AuthenticationOptions Options(IServiceProvider provider) =>
        provider.GetRequiredService<AuthenticationOptions>();

    private static Reloadable<HtpasswdFile> CreateUsers(IServiceProvider provider)
    {
        var options = Options(provider);
        var logger = provider.GetRequiredService<ILogger<Reloadable<HtpasswdFile>>>();
        Problem[] problems =
        [
            .. AuthenticationOptionsValidator.Validate(options, "configuration"),
            .. options.Htpasswd is not null && Crypt.Check() is { } missing ? [missing] : Array.Empty<Problem>(),
        ];
        if (problems.Length > 0)
        {
            throw new ProblemException(problems);
        }

        return new Reloadable<HtpasswdFile>(
            "htpasswd",
            () => options.Htpasswd is { } htpasswd ? [htpasswd.File] : [],
            () => Load(options.Htpasswd, logger),
            provider.GetRequiredService<TimeProvider>(),
            logger);
    }

    private static HtpasswdFile Load(HtpasswdOptions? options, ILogger logger)
    {
        if (options is null)
        {
            return HtpasswdFile.None;
        }

        var users = HtpasswdFile.Load(options);
        if (users.Count == 0)
        {
            Log.NoUsers(logger, options.File);
        }

        return users;
    }

    private static partial class Log
    {
        [LoggerMessage(1005, LogLevel.Warning,
            "{File} holds no users: nobody can sign in with a password. Anonymous access goes on as the policies say.")]
        public static partial void NoUsers(ILogger logger, string file);
    }
}
