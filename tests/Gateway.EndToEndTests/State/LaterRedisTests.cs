using Gateway.EndToEndTests.Support;
using Gateway.Tests.Server.Requests.Redis;
using Gateway.Tests.Support;

namespace Gateway.EndToEndTests.State;

/// <summary>
/// The gateway's whole work with the Redis and the Valkey of later Debians, beside this one's Redis 7.0.
/// </summary>
public sealed class LaterRedisTests
{
    [Theory]
    [InlineData("trixie", "valkey-server", "8.")]
    [InlineData("trixie", "redis-server", "8.")]
    [InlineData("sid", "valkey-server", "9.")]
    [InlineData("sid", "redis-server", "8.")]
    public async Task Work_ServerOfALaterDebian_IsAllDone(string suite, string program, string version)
    {
        // On the libraries of its own suite, which are newer than this Debian's, by their own loader.
        var usr = Path.Combine(TestPaths.Later(suite, "system"), "usr");
        var libraries = Directory.GetDirectories(Path.Combine(usr, "lib"), "*-linux-gnu*").Single();
        var loader = Directory.GetFiles(libraries, "ld-linux-*.so.*").Single();
        Assert.Contains(
            $"{program}\t{version}",
            (await File.ReadAllTextAsync(Path.Combine(usr, "..", "versions"))).Replace(
                "\t5:", "\t", StringComparison.Ordinal), StringComparison.Ordinal);
        await using var server = await RedisServer.StartProgramAsync(
            [loader, "--library-path", libraries, Path.Combine(usr, "bin", program)], "--appendfsync", "always");

        await RedisWork.DoAsync(server.Options);

        Assert.Contains(program == "valkey-server" ? "valkey_version:" + version : "redis_version:" + version,
            await server.CommandAsync("INFO", "server"), StringComparison.Ordinal);
    }
}
