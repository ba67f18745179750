using Gateway.Configuration;

namespace Gateway.Authentication;

/// <summary>Rules of the <c>authentication</c> section.</summary>
internal static class AuthenticationOptionsValidator
{
    private const int LargestCache = 1_000_000;
    private const int MostConcurrentHashes = 256;

    /// <summary>Reports what is wrong.</summary>
    public static void Validate(AuthenticationOptions options, SettingScope scope)
    {
        var htpasswd = scope.At(nameof(options.Htpasswd));
        if (options.Htpasswd is not null)
        {
            HtpasswdOptionsValidator.Validate(options.Htpasswd, htpasswd);
        }
        else if (!htpasswd.IsBroken)
        {
            scope.Report(
                "names no way to sign in, so nobody could",
                "Add one, for example \"authentication: { htpasswd: { file: users.htpasswd } }\".");
        }

        scope.At(nameof(options.CacheLifetime)).CheckRange(options.CacheLifetime, TimeSpan.Zero, TimeSpan.FromHours(1));
        scope.At(nameof(options.CacheSize)).CheckRange(options.CacheSize, 1, LargestCache);
        scope.At(nameof(options.ConcurrentHashes)).CheckRange(options.ConcurrentHashes, 0, MostConcurrentHashes);
    }
}
