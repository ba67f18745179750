using System.Globalization;
using Gateway.Configuration;

namespace Gateway.Authentication;

/// <summary>Tells what is wrong with <see cref="AuthenticationOptions"/>, every problem at once.</summary>
internal static class AuthenticationOptionsValidator
{
    private static readonly TimeSpan LongestCacheLifetime = TimeSpan.FromHours(1);

    /// <summary>Judges the settings alone; files are read elsewhere.</summary>
    /// <param name="options">The settings.</param>
    /// <param name="source">Where they stand, such as <c>gateway.yaml</c>.</param>
    public static IEnumerable<Problem> Validate(AuthenticationOptions options, string source)
    {
        if (options.CacheLifetime < TimeSpan.Zero || options.CacheLifetime > LongestCacheLifetime)
        {
            yield return new Problem(
                source,
                "authentication.cacheLifetime: out of range",
                options.CacheLifetime.ToString(),
                "Choose 00:00:00 to 01:00:00.");
        }

        const string top = "authentication.";
        foreach (var problem in Range(source, top + "cacheSize", options.CacheSize, 0, 1_000_000)
            .Concat(Range(source, top + "concurrentHashes", options.ConcurrentHashes, 0, 1024)))
        {
            yield return problem;
        }

        if (options.Htpasswd is not { } htpasswd)
        {
            yield break;
        }

        foreach (var problem in Range(source, top + "htpasswd.minimumCost", htpasswd.MinimumCost, 4, 14)
            .Concat(Range(source, top + "htpasswd.maximumCost", htpasswd.MaximumCost, 8, 16)))
        {
            yield return problem;
        }

        if (htpasswd.MinimumCost > htpasswd.MaximumCost)
        {
            yield return new Problem(
                source,
                "authentication.htpasswd.minimumCost: above maximumCost, so that no password is accepted",
                string.Create(CultureInfo.InvariantCulture, $"{htpasswd.MinimumCost} > {htpasswd.MaximumCost}"),
                "Raise maximumCost, or lower minimumCost.");
        }
    }

    private static IEnumerable<Problem> Range(string source, string key, int value, int least, int greatest)
    {
        if (value < least || value > greatest)
        {
            yield return new Problem(
                source,
                $"{key}: out of range",
                value.ToString(CultureInfo.InvariantCulture),
                string.Create(CultureInfo.InvariantCulture, $"Choose {least} to {greatest}."));
        }
    }
}
