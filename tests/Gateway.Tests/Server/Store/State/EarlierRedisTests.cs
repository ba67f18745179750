using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Store.State;

/// <summary>A Redis that 0.2.0 has written: this build finds everything in it, and writes the same beside it.</summary>
public sealed partial class EarlierRedisTests
{
    [Fact]
    public async Task Read_DataOf020_FindsEveryTokenAndRevocation()
    {
        await using var server = await RedisServer.StartAsync();
        await LoadAsync(server);

        await EarlierRedis.AssertFoundAsync(server.Options);
    }

    [Fact]
    public async Task Write_SameWork_GivesTheSameKeysAndValuesAs020()
    {
        await using var earlier = await RedisServer.StartAsync();
        await using var now = await RedisServer.StartAsync();
        await LoadAsync(earlier);
        await EarlierRedis.FillAsync(now.Options);

        var (before, after) = (await DumpAsync(earlier), await DumpAsync(now));

        Assert.True(before.Count > 20);
        Assert.Equal(before.Keys, after.Keys);
        Assert.All(before, one => Assert.Equal(one.Value, after[one.Key]));
    }

    private static async Task LoadAsync(RedisServer server)
    {
        var start = new ProcessStartInfo(
            "redis-cli", ["-p", server.Port.ToString(CultureInfo.InvariantCulture), "--pipe"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        await using (var file = File.OpenRead(
            RepositoryRoot.PathOf("tests", "Gateway.Tests", "Server", "Store", "State", "data", "redis-0.2.0.aof")))
        {
            await file.CopyToAsync(process.StandardInput.BaseStream);
        }

        process.StandardInput.Close();
        Assert.Contains("errors: 0", await process.StandardOutput.ReadToEndAsync(), StringComparison.Ordinal);
        await process.WaitForExitAsync();
    }

    // What the clock of Redis, the machine's random numbers and the key's own date decide is left out.
    private static async Task<SortedDictionary<string, string>> DumpAsync(RedisServer server)
    {
        var dump = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var key in (await server.CommandAsync("KEYS", "*")).Split('\n'))
        {
            var type = await server.CommandAsync("TYPE", key);
            var value = type switch
            {
                "string" => await server.CommandAsync("GET", key),
                "hash" when key == "gateway:keys" => await server.CommandAsync("HLEN", key), // their text is random
                "hash" => await server.CommandAsync("HGETALL", key),
                _ => await server.CommandAsync("ZRANGE", key, "0", "-1", "WITHSCORES"),
            };
            var lines = value.Split('\n').Select(static line => Claims().Replace(
                Position().Replace(line, "POSITION"),
                static claims => string.Join(',', claims.Value.Split(',').Order(StringComparer.Ordinal)))).ToList();
            dump[key] = type + " " + (key == "gateway:identities" ? Regex.Replace(lines[1], "^[0-9]+ ", "VERSION ")
                : type == "hash"
                ? string.Join('|', lines.Chunk(2).Select(static pair => string.Join('=', pair)).Order())
                : string.Join('|', lines));
        }

        return dump;
    }

    [GeneratedRegex("(?<![0-9])1[0-9]{15}(?![0-9])")] // microseconds since 1970
    private static partial Regex Position();

    [GeneratedRegex("(?<=\"claims\":\\{)[^}]*")] // a dictionary has no order
    private static partial Regex Claims();
}
