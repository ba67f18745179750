using Gateway.Foundation.Configuration;

namespace Gateway.Server.Records.Audit;

/// <summary>Rules of the <c>audit</c> section.</summary>
internal static class AuditOptionsValidator
{
    private const int ShortestKey = 32;

    /// <summary>Reports what is wrong.</summary>
    public static void Validate(AuditOptions options, SettingScope scope)
    {
        var file = scope.At(nameof(options.File));
        file.At(nameof(AuditFileOptions.MaxSizeMiB)).CheckRange(options.File.MaxSizeMiB, 0, 1024 * 1024);
        file.At(nameof(AuditFileOptions.Keep)).CheckRange(options.File.Keep, 0, 1_000_000);
        if (options.File.MaxAge != TimeSpan.Zero)
        {
            file.At(nameof(AuditFileOptions.MaxAge)).CheckRange(
                options.File.MaxAge, TimeSpan.FromMinutes(1), TimeSpan.FromDays(3650));
        }

        if (options.File.HashKey is not { } key)
        {
            return;
        }

        if (key.Length < ShortestKey)
        {
            file.At(nameof(AuditFileOptions.HashKey)).Report(
                $"is shorter than {ShortestKey} characters",
                "Generate one with openssl rand -base64 48 > secrets/audit-key, and name the file in hashKeyFile.");
        }

        if (!options.File.HashChain)
        {
            file.At(nameof(AuditFileOptions.HashKey)).Report(
                "is set, but hashChain is false, so it has no effect", "Set hashChain to true, or remove the key.");
        }
    }
}
