using Gateway.Foundation.Configuration;
using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Records.Audit;

/// <summary>All that the host knows of the audit trail.</summary>
internal static partial class AuditServiceExtensions
{
    /// <summary>Adds the trail and what writes it.</summary>
    public static IServiceCollection AddAudit(
        this IServiceCollection services, AuditOptions options, string stateFolder)
    {
        services.AddSingleton(options);
        services.AddSingleton(provider => new AuditTrail(
            options,
            CreateSinks(options, stateFolder, provider),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<AuditTrail>>()));
        services.AddSingleton<IAuditLog>(static provider => provider.GetRequiredService<AuditTrail>());
        services.AddSingleton<AuditAdmission>();
        if (options.Enabled)
        {
            services.AddSingleton<IHealthPart, AuditHealth>();
            services.AddHostedService<AuditService>(); // first of the audit's: it begins and ends the trail
        }

        return services;
    }

    /// <summary>Adds the step that sees every request's end.</summary>
    public static void UseAudit(this WebApplication app)
    {
        if (app.Services.GetRequiredService<AuditTrail>().IsOn)
        {
            app.UseMiddleware<AuditMiddleware>();
        }
    }

    /// <summary>The settings of the file, its path filled in; <see langword="null"/> where there is none.</summary>
    /// <param name="options">The section.</param>
    /// <param name="stateFolder">Where the file is unless the section says otherwise.</param>
    public static AuditFileOptions? FileOptions(AuditOptions options, string stateFolder) =>
        FilePath(options, stateFolder) is not { } path ? null
        : new AuditFileOptions
        {
            Path = path,
            MaxSizeMiB = options.File.MaxSizeMiB,
            MaxAge = options.File.MaxAge,
            Keep = options.File.Keep,
            HashChain = options.File.HashChain,
            HashKey = options.File.HashKey,
        };

    /// <summary>What a start would fail with. A disk that is full is none of it: that passes.</summary>
    public static IEnumerable<Problem> Check(AuditOptions options, string stateFolder)
    {
        if (FilePath(options, stateFolder) is not { } path)
        {
            yield break;
        }

        const string fix = "Set audit.file.path to another file, or give the gateway's account write permission there.";
        if (Directory.Exists(path))
        {
            yield return new Problem(path, "audit.file.path is a folder", null, "Name a file in that folder.");
        }
        else if (File.Exists(path))
        {
            if (NativeFile.FindObstacle(path) is { } obstacle)
            {
                yield return new Problem(path, "the audit file cannot be written", obstacle, fix);
            }
        }
        else
        {
            var folder = Path.GetDirectoryName(path)!;
            while (!Directory.Exists(folder) && Path.GetDirectoryName(folder) is { } parent)
            {
                folder = parent;
            }

            if (!NativeFile.CanWriteTo(folder))
            {
                yield return new Problem(path, "the audit file cannot be created", folder, fix);
            }
        }
    }

    private static string? FilePath(AuditOptions options, string stateFolder) => !options.Enabled ? null
        : options.File.Path ?? (options.Stdout ? null : Path.Combine(stateFolder, "audit.jsonl"));

    private static IEnumerable<IAuditSink> CreateSinks(
        AuditOptions options, string stateFolder, IServiceProvider provider)
    {
        if (FileOptions(options, stateFolder) is { } fileOptions)
        {
            var logger = provider.GetRequiredService<ILogger<AuditFile>>();
            var file = new AuditFile(fileOptions, provider.GetRequiredService<TimeProvider>(), setsAside: true);
            file.NotPutAway += problem => Log.NotPutAway(logger, problem);
            file.Finished += (name, position) => Log.Finished(logger, name, position);
            file.Closed += position => Log.Closed(logger, position);
            yield return file;
        }

        if (options is { Enabled: true, Stdout: true })
        {
            yield return new StdoutSink();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1506, LogLevel.Information,
            "The audit file was rotated to {Name}; its chain ends at {Position}.")]
        public static partial void Finished(ILogger logger, string name, ChainPosition position);

        [LoggerMessage(1508, LogLevel.Error,
            "The audit file is due for rotation, but could not be rotated: {Problem}. "
            + "The gateway keeps writing to it and tries again every minute. "
            + "Check that the gateway's account can write to its folder.")]
        public static partial void NotPutAway(ILogger logger, string problem);

        [LoggerMessage(1507, LogLevel.Information, "The audit trail's chain ends at {Position}.")]
        public static partial void Closed(ILogger logger, ChainPosition position);
    }
}
