using System.Globalization;
using Gateway.Server.Requests.Redis;

namespace Gateway.Tests.Support;

/// <summary>
/// A primary and a replica, watched by three real Sentinels that have a password of their own. A primary counts as lost
/// after half a second.
/// </summary>
internal sealed class RedisSentinels : IAsyncDisposable
{
    public const string Password = "password-of-the-servers";
    public const string SentinelPassword = "password-of-the-sentinels";
    public const string Service = "gateway";

    private readonly List<RedisServer> _sentinels = [];

    public RedisServer Primary { get; private set; } = null!;

    public RedisServer Replica { get; private set; } = null!;

    public IReadOnlyList<RedisServer> Sentinels => _sentinels;

    public RedisOptions Options => new()
    {
        Sentinel = new RedisSentinelOptions
        {
            Service = Service,
            Servers = [.. _sentinels.Select(static sentinel => sentinel.Options.Server)],
            Password = SentinelPassword,
        },
        Password = Password,
        Timeout = TimeSpan.FromMilliseconds(500),
    };

    public static async Task<RedisSentinels> StartAsync()
    {
        var all = new RedisSentinels();
        try
        {
            string[] common = [
                "--requirepass", Password, "--masterauth", Password, "--appendfsync", "always",
                "--repl-diskless-sync-delay", "0",
            ];
            all.Primary = await RedisServer.StartAsync(common);
            all.Replica = await RedisServer.StartAsync([.. common, "--replicaof", "127.0.0.1", Text(all.Primary.Port)]);
            await all.ReplicatedAsync();
            for (var i = 0; i < 3; i++)
            {
                all._sentinels.Add(await RedisServer.StartSentinelAsync(
                    "sentinel resolve-hostnames no",
                    "requirepass " + SentinelPassword,
                    "sentinel sentinel-pass " + SentinelPassword,
                    $"sentinel monitor {Service} 127.0.0.1 {Text(all.Primary.Port)} 2",
                    $"sentinel auth-pass {Service} {Password}",
                    $"sentinel down-after-milliseconds {Service} 500",
                    $"sentinel failover-timeout {Service} 3000"));
            }

            await Eventually.TrueAsync(async () => (await all.AskAsync("SENTINEL", "MASTER", Service)) is var told
                && Value(told, "num-slaves") == "1" && Value(told, "num-other-sentinels") == "2");
            return all;
        }
        catch
        {
            await all.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits until the replica has all that was answered so far.</summary>
    public async Task ReplicatedAsync()
    {
        await Eventually.TrueAsync(async () =>
        {
            var told = await Primary.CommandAsync("-a", Password, "--no-auth-warning", "INFO", "replication");
            var all = Line(told, "master_repl_offset:");
            return Line(told, "slave0:").Contains($"offset={all},", StringComparison.Ordinal);
        });
    }

    /// <summary>The port of the primary, as a Sentinel says.</summary>
    public async Task<string> PrimaryPortAsync() =>
        (await AskAsync("SENTINEL", "GET-MASTER-ADDR-BY-NAME", Service)).Split('\n')[^1].Trim();

    public Task<string> AskAsync(params string[] command) =>
        _sentinels[0].CommandAsync(["-a", SentinelPassword, "--no-auth-warning", .. command]);

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _sentinels.Append(Replica).Append(Primary))
        {
            await (server?.DisposeAsync() ?? ValueTask.CompletedTask);
        }
    }

    private static string Line(string text, string name) =>
        text.Split('\n').FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?[name.Length..].Trim()
        ?? "-";

    private static string Value(string text, string name) =>
        text.Split('\n').Select(static line => line.Trim()).SkipWhile(line => line != name).Skip(1).FirstOrDefault()
        ?? "";

    private static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);
}
