using Gateway.Configuration;
using Gateway.Hosting;

namespace Gateway.Redis;

/// <summary>Rules of the <c>redis</c> section.</summary>
internal static class RedisOptionsValidator
{
    private const int LongestPrefix = 64;

    /// <summary>Reports what is wrong.</summary>
    public static void Validate(RedisOptions options, SettingScope scope)
    {
        if (options.Server.Length > 0 && !HostName.TryParse(options.Server, out _))
        {
            scope.At(nameof(options.Server)).Report(
                "is not a host with a port", "Write host:port, for example \"redis:6379\"; no scheme, no path.");
        }

        if (options is { CertificateAuthority: not null, Tls: false } && !scope.At(nameof(options.Tls)).IsBroken)
        {
            scope.At(nameof(options.CertificateAuthority)).Report(
                "has no use, since the connection is not TLS", "Set redis.tls to true, or remove it.");
        }

        if (options.Password?.Any(char.IsControl) == true)
        {
            scope.At(nameof(options.Password)).Report(
                "holds a control character, such as a line break", "Write the password alone, on one line.");
        }

        if (options.KeyPrefix.Length > LongestPrefix || options.KeyPrefix.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            scope.At(nameof(options.KeyPrefix)).Report(
                $"is longer than {LongestPrefix} characters, or holds a space or a character outside ASCII",
                "Write a short word with a colon behind it, for example \"gateway:\".");
        }

        scope.At(nameof(options.Database)).CheckRange(options.Database, 0, 15);
        scope.At(nameof(options.Timeout))
            .CheckRange(options.Timeout, TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(10));
    }
}
