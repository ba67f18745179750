using Gateway.Foundation.Configuration;
using Gateway.Server.Requests.Reloading;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Gateway.Server.SignIn.Authentication;

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
        services.AddSingleton<HtpasswdVerifier>();
        services.AddSingleton<ICredentialVerifier>(static provider => provider.GetRequiredService<HtpasswdVerifier>());
        services.AddSingleton<ISubjectSource>(static provider => provider.GetRequiredService<HtpasswdVerifier>());
        services.AddSingleton<SignInMethods>();
        services.AddSingleton<SubjectStanding>();
        services.AddSingleton<Challenge>();
        services.TryAddSingleton<CredentialAuthenticator>();
        services.AddSingleton<SignInGuard>();
        services.AddSingleton<SignInGate>();
        return services;
    }

    private static AuthenticationOptions Options(IServiceProvider provider) =>
        provider.GetRequiredService<AuthenticationOptions>();

    private static Reloadable<HtpasswdFile> CreateUsers(IServiceProvider provider)
    {
        var options = Options(provider);
        var time = provider.GetRequiredService<TimeProvider>();
        var logger = provider.GetRequiredService<ILogger<Reloadable<HtpasswdFile>>>();
        return new Reloadable<HtpasswdFile>(
            "htpasswd",
            () => options.Htpasswd is { } htpasswd ? [htpasswd.File] : [],
            replaced => LoadUsers(options, replaced, time, logger),
            time,
            logger);
    }

    /// <summary>Reads the users, or none where no file is configured.</summary>
    /// <exception cref="ProblemException">
    /// The file, or the library that checks its hashes, is missing or wrong.
    /// </exception>
    internal static HtpasswdFile LoadUsers(AuthenticationOptions options) =>
        LoadUsers(options, default, TimeProvider.System, logger: null);

    private static HtpasswdFile LoadUsers(
        AuthenticationOptions options, Replacement<HtpasswdFile> replaced, TimeProvider time, ILogger? logger)
    {
        if (options.Htpasswd is not { } htpasswd)
        {
            return HtpasswdFile.None;
        }

        if (Crypt.Check() is { } missing)
        {
            throw new ProblemException(missing);
        }

        var users = HtpasswdReplacement.Load(htpasswd, replaced, time.GetUtcNow());
        if (users.HasOpenLine && logger is not null)
        {
            Log.OpenLine(logger, HtpasswdReplacement.OpenLine(htpasswd.File).ToString());
        }

        if (users.Count == 0 && logger is not null)
        {
            Log.NoUsers(logger, htpasswd.File);
        }

        return users;
    }

    private static partial class Log
    {
        [LoggerMessage(1009, LogLevel.Warning, "The gateway started with the user file as it was. {Problem}")]
        public static partial void OpenLine(ILogger logger, string problem);

        [LoggerMessage(1005, LogLevel.Warning,
            "{File} holds no users, so no one can sign in with a password. Anonymous access "
            + "continues as the policies allow.")]
        public static partial void NoUsers(ILogger logger, string file);
    }
}
