using Gateway.Server.Registry.Contents;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Redis;
using Gateway.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Server.Requests.Redis;

/// <summary>The ACL rule of docs/state.md: enough for everything that the gateway does, and no more.</summary>
public sealed class RedisAclTests
{
    private const string Name = "gateway";
    private const string Password = "password-of-the-user";

    [Fact]
    public async Task Rule_OfTheDocumentation_AllowsAllThatTheGatewayDoesAndNothingThatItDoesNot()
    {
        var rule = Rule();
        await using var server = await RedisServer.StartAsync("--appendfsync", "always");
        Assert.Equal("OK", await server.CommandAsync(["ACL", "SETUSER", .. rule]));
        await server.CommandAsync("CONFIG", "RESETSTAT");
        var options = server.Options;
        (options.Username, options.Password) = (Name, Password);

        await RedisWork.DoAsync(options);
        await RedisLimitWork.DoAsync(options);
        await using (var redis = Connect(options))
        {
            using var contents = NewFeed(redis, options);
            Assert.True(await contents.TryAnnounceAsync(
                new ContentChange(ContentChangeKind.Repository, "team-a/app", "")));
            Assert.True(await contents.EnsureCurrentAsync(default));
            await redis.EvaluateAsync("return redis.call('DEL', KEYS[1])", [redis.Key("doctor")], [], default);
        }

        var refused = await server.CommandAsync("ACL", "LOG");
        Assert.True(refused.Length == 0, refused);
        var used = (await server.CommandAsync("INFO", "commandstats")).Split('\n')
            .Where(static line => line.StartsWith("cmdstat_", StringComparison.Ordinal))
            .Select(static line => line["cmdstat_".Length..line.IndexOf(':', StringComparison.Ordinal)])
            .Where(static command => command is not ("config|resetstat" or "acl|log" or "acl|setuser")).Order();
        var allowed = rule.Where(static word => word[0] == '+').Select(static word => word[1..]).ToList();
        Assert.True(
            used.ToHashSet().SetEquals(allowed),
            $"not needed: {string.Join(' ', allowed.Except(used))}; missing: {string.Join(' ', used.Except(allowed))}");
    }

    [Theory]
    [InlineData("canary-wrong", Name)]
    [InlineData(Password, "nobody")]
    public async Task Connect_WrongPasswordOrUser_IsSaidWithoutThem(string password, string name)
    {
        await using var server = await RedisServer.StartAsync();
        await server.CommandAsync("ACL", "SETUSER", Name, "on", ">" + Password, "~*", "&*", "+@all");
        var options = server.Options;
        (options.Username, options.Password) = (name, password);
        await using var redis = Connect(options);

        var exception = await Assert.ThrowsAnyAsync<StateException>(
            () => redis.EvaluateAsync("return 1", [redis.Key("n")], [], default));

        Assert.Equal(
            $"Redis at {options.Server} refuses the user name or the password. See redis.username and redis.password.",
            exception.Message);
    }

    private static RedisConnection Connect(RedisOptions options) =>
        new(options, TimeProvider.System, NullLogger<RedisConnection>.Instance);

    private static ContentFeed NewFeed(RedisConnection redis, RedisOptions options)
    {
        var settings = new ContentCacheOptions();
        var store = new ContentStore(settings, new ContentFigures([]), TimeProvider.System);
        return new ContentFeed(
            store, settings, [redis], options, TimeProvider.System, NullLogger<ContentFeed>.Instance);
    }

    // user gateway on >PASSWORD ~gateway:* &gateway:* …
    private static string[] Rule()
    {
        var line = File.ReadLines(RepositoryRoot.PathOf("docs", "state.md"))
            .Single(static line => line.StartsWith("user gateway on ", StringComparison.Ordinal));
        return [.. line.Split(' ')[1..].Select(static word => word == ">PASSWORD" ? ">" + Password : word)];
    }
}
