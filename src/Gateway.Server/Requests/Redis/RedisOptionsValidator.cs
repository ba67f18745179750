using Gateway.Foundation.Configuration;

namespace Gateway.Server.Requests.Redis;

/// <summary>Rules of the <c>redis</c> section.</summary>
internal static class RedisOptionsValidator
{
    private const int LongestPrefix = 64;

    /// <summary>Reports what is wrong.</summary>
    public static void Validate(RedisOptions options, SettingScope scope)
    {
        CheckServers(options, scope);
        if (options is { CertificateAuthority: not null, Tls: false } && !scope.At(nameof(options.Tls)).IsBroken)
        {
            scope.At(nameof(options.CertificateAuthority)).Report(
                "has no effect, since the connection does not use TLS", "Set redis.tls to true, or remove it.");
        }

        CheckSignIn(options.Username, options.Password, scope);
        if (options.KeyPrefix.Length > LongestPrefix || options.KeyPrefix.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            scope.At(nameof(options.KeyPrefix)).Report(
                $"is longer than {LongestPrefix} characters, or contains a space or a character outside ASCII",
                "Write a short word followed by a colon, for example \"gateway:\".");
        }
        else if (options.Servers.Count > 0 && !options.HasHashTag)
        {
            scope.At(nameof(options.KeyPrefix)).Report(
                "has no hash tag, but redis.servers names the nodes of a cluster, where all keys must be in one slot",
                "Write a word in braces, for example \"{gateway}:\".");
        }

        scope.At(nameof(options.Database)).CheckRange(options.Database, 0, 15);
        if (options is { Servers.Count: > 0, Database: > 0 and <= 15 })
        {
            scope.At(nameof(options.Database)).Report("is not 0, but a cluster has no other database", "Remove it.");
        }

        scope.At(nameof(options.Timeout))
            .CheckRange(options.Timeout, TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(10));
    }

    private static void CheckServers(RedisOptions options, SettingScope scope)
    {
        CheckHost(options.Server, scope.At(nameof(options.Server)));
        CheckHosts(options.Servers, scope.At(nameof(options.Servers)));
        if (options.Sentinel is { } sentinel)
        {
            var at = scope.At(nameof(options.Sentinel));
            CheckHosts(sentinel.Servers, at.At(nameof(sentinel.Servers)));
            CheckSignIn(sentinel.Username, sentinel.Password, at);
        }

        if (scope.At(nameof(options.Server)).IsBroken || scope.At(nameof(options.Servers)).IsBroken
            || scope.At(nameof(options.Sentinel)).IsBroken)
        {
            return;
        }

        string[] ways =
        [
            .. options.Server.Length > 0 ? ["server"] : Array.Empty<string>(),
            .. options.Servers.Count > 0 ? ["servers"] : Array.Empty<string>(),
            .. options.Sentinel is not null ? ["sentinel"] : Array.Empty<string>(),
        ];
        if (ways.Length == 0)
        {
            scope.At(nameof(options.Server)).Report(
                "is missing",
                "Name one server, for example \"redis:6379\"; or redis.servers for a cluster, or redis.sentinel.");
        }
        else if (ways.Length > 1)
        {
            scope.Report(
                $"configures Redis in several ways: {string.Join(" and ", ways)}",
                "Keep one: server for one server, servers for the nodes of a cluster, sentinel for Sentinels.");
        }
    }

    private static void CheckHosts(List<string> hosts, SettingScope scope)
    {
        for (var i = 0; i < hosts.Count; i++)
        {
            CheckHost(hosts[i], scope.At(i));
        }
    }

    private static void CheckHost(string host, SettingScope scope)
    {
        if (host.Length > 0 && !HostName.TryParse(host, out _))
        {
            scope.Report("is not a host with a port",
                "Write host:port, for example \"redis:6379\", without a scheme or path.");
        }
    }

    private static void CheckSignIn(string? userName, string? password, SettingScope scope)
    {
        if (password?.Any(char.IsControl) == true)
        {
            scope.At(nameof(RedisOptions.Password)).Report(
                "contains a control character, such as a line break", "Write only the password, on one line.");
        }

        if (userName is not null && (userName.Length == 0 || userName.Any(static c => char.IsControl(c) || c == ' ')))
        {
            scope.At(nameof(RedisOptions.Username)).Report(
                "is empty, or contains a space or a control character", "Write the name as ACL LIST shows it.");
        }
        else if (userName is not null && password is null && !scope.At(nameof(RedisOptions.Password)).IsBroken)
        {
            scope.At(nameof(RedisOptions.Username)).Report(
                "is set, but no password",
                "Set password or passwordFile as well; a user with nopass accepts any password.");
        }
    }
}
