using Gateway.Backup;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Requests.Redis;
using Gateway.Server.Store.Identities;
using Gateway.Server.Store.Keys;
using Gateway.Server.Store.State;
using Gateway.Tests.Server.Store.State;
using Gateway.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Server.Requests.Redis;

/// <summary>
/// What the gateway does with Redis, but for the limits: stores, messages, what is asked about the server, backup and
/// restore.
/// </summary>
internal static class RedisWork
{
    /// <summary>Does it on an empty server and leaves what <see cref="EarlierRedis.FillAsync"/> wrote.</summary>
    public static async Task DoAsync(RedisOptions options)
    {
        await using (var redis = new RedisConnection(
            options, TimeProvider.System, NullLogger<RedisConnection>.Instance))
        {
            var heard = 0;
            await redis.SubscribeAsync("changed", _ => Interlocked.Increment(ref heard));
            await EarlierRedis.FillAsync(options);
            await Eventually.TrueAsync(() => Volatile.Read(ref heard) > 0);
            await EarlierRedis.AssertFoundAsync(options);
            var store = new RedisCredentialStore(
                redis, options, TimeProvider.System, NullLogger<RedisCredentialStore>.Instance);
            await store.AddAsync(
                TestCredential.New("over") with { ExpiresAt = TestCredential.Now.AddDays(-60) }, default);
            Assert.Equal(1, await store.PruneAsync(TestCredential.Now.AddDays(-30), default));
            Assert.False(await new RedisIdentityStore(redis).RemoveAsync("oidc:keycloak", "nobody", default));
            foreach (var section in new[] { "persistence", "memory", "replication" })
            {
                Assert.NotEqual("", await redis.ReadInfoAsync(section, default));
            }

            Assert.NotNull(await redis.ReadConfigurationAsync("appendfsync", default));
            Assert.True(await redis.CountListenersAsync("changed", default) > 0);
            await using var running = new RedisBackup(Configuration(options));
            Assert.Equal("a gateway is using this store", (await running.FindObstacleAsync(true, default))!.What);
        }

        await using (var backup = new RedisBackup(Configuration(options)))
        {
            using var archive = new MemoryStream();
            Assert.Equal(EarlierRedis.Added.Count, await backup.ExportAsync(archive, default));
            archive.Position = 0;
            await backup.StageAsync("restore-1:", archive, default);
            // the listener is gone
            await Eventually.TrueAsync(async () => await backup.FindObstacleAsync(true, default) is null);
            await backup.SwitchAsync("restore-1:", "aside-1:", mayReplace: true, keepBlocks: true, default);
            await backup.RemoveAsync("aside-1:");
        }

        await EarlierRedis.AssertFoundAsync(options);
    }

    /// <summary>A configuration that keeps everything in Redis.</summary>
    public static GatewayOptions Configuration(RedisOptions options) => new()
    {
        Redis = options,
        State = { Store = StateStoreKind.Redis },
        Tokens = { Keys = { Store = SigningKeyStoreKind.Redis, Password = EarlierRedis.KeyPassword } },
    };
}
