using Gateway.Foundation.Configuration;

namespace Gateway.Server.Registry.Contents;

/// <summary>Rules of the <c>contentCache</c> section.</summary>
internal static class ContentCacheOptionsValidator
{
    /// <summary>Reports what is wrong.</summary>
    public static void Validate(ContentCacheOptions options, SettingScope scope)
    {
        scope.At(nameof(options.MaxSizeMiB)).CheckRange(options.MaxSizeMiB, 1, 64 * 1024);
        scope.At(nameof(options.MaxBlobKiB)).CheckRange(options.MaxBlobKiB, 1, 4096);
        scope.At(nameof(options.MaxAge)).CheckRange(options.MaxAge, TimeSpan.FromSeconds(1), TimeSpan.FromHours(24));
        if (options.TagMaxAge < TimeSpan.Zero || options.TagMaxAge > options.MaxAge)
        {
            scope.At(nameof(options.TagMaxAge)).Report(
                $"is longer than maxAge ({Duration.Format(options.MaxAge)}), after which no content is kept",
                "Set it to at most maxAge; 0s has the registry asked about a tag each time.");
        }
    }
}
