using Gateway.Backup;
using Gateway.Core.Tokens;
using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Redis;
using Gateway.Server.SignIn.Sessions;
using Gateway.Server.Store.Identities;
using Gateway.Server.Store.Keys;
using Gateway.Server.Store.State;
using Gateway.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Backup;

/// <summary>Both commands with a real Redis.</summary>
public sealed class RedisBackupTests : IAsyncLifetime, IDisposable
{
    private RedisServer _redis = null!;
    private BackupFolder _folder = null!;

    private Dictionary<string, string> Elsewhere { get; } = new() { ["GATEWAY__Redis__KeyPrefix"] = "other:" };

    public async Task InitializeAsync()
    {
        _redis = await RedisServer.StartAsync("--appendfsync", "always");
        _folder = new BackupFolder(
            $$"""
            redis: { server: "{{_redis.Options.Server}}", keyPrefix: "gw:", timeout: 5s }
            tokens: { keys: { store: redis, passwordFile: secrets/keys } }
            """,
            "state, store: redis");
    }

    public async Task DisposeAsync() => await _redis.DisposeAsync();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Restore_IntoAnotherPrefix_GivesTheSameKeysWithTheSameValues()
    {
        await FillAsync();
        await _redis.CommandAsync("SET", "gw:limits-of-somebody", "passing", "EX", "600");
        await _redis.CommandAsync("SET", "foreign", "another program's");
        await MakeAsync();

        await _folder.RestoreWithAsync(static _ => { }, environment: Elsewhere);

        var (before, after) = (await DumpAsync("gw:"), await DumpAsync("other:"));
        before.Remove("limits-of-somebody");
        Assert.True(before.Count > 12);
        Assert.Equal(before, after);
        Assert.Equal("", await _redis.CommandAsync("KEYS", "*restore-*"));
    }

    [Fact]
    public async Task EveryKeyOfARealStore_IsInTheBackup()
    {
        await FillAsync();
        await MakeAsync();
        await _folder.RestoreWithAsync(static _ => { }, environment: Elsewhere);

        // Whatever the stores write is restored. A new kind of key fails here until the backup knows it.
        var names = (await DumpAsync("gw:")).Keys.Select(static key => key.Split(':')[0]).Distinct().Order();
        Assert.Equal(
            [
                "blocks", "changes", "credential", "credentials", "data-protection", "ends", "identities", "keys",
                "last", "owner", "schema", "secret",
            ],
            names);
        Assert.Equal(
            names, (await DumpAsync("other:")).Keys.Select(static key => key.Split(':')[0]).Distinct().Order());
    }

    [Fact]
    public async Task Backup_WhileTokensAreRevoked_HoldsEveryRevocationAnsweredBeforeItsEnd()
    {
        var ids = await FillAsync(1500); // several pages
        await using var store = Store("gw:");
        using var exported = new MemoryStream();
        await using var backup = new RedisBackup(_folder.Load());
        var revoking = Task.Run(async () =>
        {
            foreach (var id in ids.Take(300)) // the oldest, which the pages reach last; and the newest
            {
                await store.RevokeAsync(id, TimeProvider.System.GetUtcNow(), CancellationToken.None);
            }

            foreach (var id in ids.TakeLast(50))
            {
                await store.RevokeAsync(id, TimeProvider.System.GetUtcNow(), CancellationToken.None);
            }
        });

        await backup.ExportAsync(exported, CancellationToken.None);
        await revoking;

        var lines = System.Text.Encoding.UTF8.GetString(exported.ToArray()).Split(
            '\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(RedisLine.Read).ToList();
        var announced = lines.Where(
            static line => line.Kind == RedisLine.Change && line.Values[0].Split(' ')[1] == "revoked")
            .Select(static line => line.Values[0].Split(' ')[3]).ToHashSet();
        var revoked = lines.Where(static line => line.Kind == RedisLine.Credential && line.Values.Contains("revoked"))
            .Select(static line => line.Name).ToHashSet();
        Assert.Equal(1500, lines.Count(static line => line.Kind == RedisLine.Credential));
        Assert.Subset(revoked, announced);
        Assert.Contains(ids[400], await NotRevokedAsync(lines));
    }

    [Fact]
    public async Task Restore_WhereSomethingIs_IsRefused_AndWithForceItIsKeptAside()
    {
        await FillAsync();
        await MakeAsync();
        var before = await DumpAsync("");

        var refused = await Assert.ThrowsAsync<ProblemException>(() => _folder.RestoreWithAsync(static _ => { }));

        Assert.Contains("it has tokens or keys already", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, await DumpAsync(""));
        Assert.False(Directory.Exists(_folder.Target));

        var old = await DumpAsync("gw:");
        await using (var store = Store("gw:"))
        {
            await store.AddAsync(
                BackupFolder.NewToken(CredentialSecret.Create(CredentialSecretKind.Personal).Reveal()),
                CancellationToken.None);
        }

        await _folder.RestoreWithAsync(static _ => { }, force: true);
        var now = await DumpAsync("gw:");
        Assert.Equal(
            old,
            now.Where(static pair => !pair.Key.StartsWith("before-restore-", StringComparison.Ordinal)).ToDictionary());
        Assert.Equal(
            old.Count + 2, now.Count(static pair => pair.Key.StartsWith("before-restore-", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Restore_OfAnOlderBackup_LetsNobodyInWhoIsBlockedSince()
    {
        await FillAsync();
        var now = TimeProvider.System.GetUtcNow();
        var (blocked, lifted) =
            (new SubjectBlock("user:bob", now, "root"), new SubjectBlock("user:carol", now, "root"));
        await using (var store = Store("gw:"))
        {
            await store.WriteBlockAsync(lifted, CancellationToken.None);
        }

        await MakeAsync();
        lifted = lifted.Lift(now, "root");
        await using (var store = Store("gw:"))
        {
            await store.WriteBlockAsync(blocked, CancellationToken.None);
            await store.WriteBlockAsync(lifted, CancellationToken.None);
        }

        var (code, output, error) = await _folder.RestoreAsync("--force");

        Assert.True(code == 0, error);
        Assert.Contains(
            "Kept newer blocks and unblocks from Redis, which the backup lacks: user:", output,
            StringComparison.Ordinal);
        await using var restored = Store("gw:");
        var blocks = (await restored.ReadBlocksAsync("", CancellationToken.None)).Blocks!.OrderBy(
            static one => one.Subject, StringComparer.Ordinal).ToList();
        Assert.Equal(["user:bob", "user:carol", "user:ärger"], blocks.Select(static one => one.Subject));
        Assert.Equal([blocked, lifted], blocks[..2]);
    }

    [Theory]
    [InlineData(nameof(RestoreStep.Unpacked))]
    [InlineData(nameof(RestoreStep.Staged))]
    [InlineData(nameof(RestoreStep.RedisSwitched))]
    [InlineData(nameof(RestoreStep.FolderPlaced))]
    public async Task Restore_AFaultAtAnyStep_LeavesRedisAsItWas(string step)
    {
        await FillAsync();
        await MakeAsync();
        var (before, files) = (await DumpAsync(""), BackupFolder.Listing(_folder.Root));

        foreach (var environment in new[] { Elsewhere, [] })
        {
            await Assert.ThrowsAsync<ProblemException>(() => _folder.RestoreWithAsync(
                at =>
                {
                    if (at == Enum.Parse<RestoreStep>(step))
                    {
                        throw new IOException("the disk is gone");
                    }
                },
                force: true,
                environment: environment));

            Assert.Equal(before, await DumpAsync(""));
            Assert.Equal(files, BackupFolder.Listing(_folder.Root));
        }
    }

    [Fact]
    public async Task Restore_WhileAGatewayListensToTheStore_IsRefusedEvenWithForce()
    {
        await FillAsync();
        await MakeAsync();
        var options = _redis.Options;
        options.KeyPrefix = "other:";
        await using (var connection = new RedisConnection(
            options, TimeProvider.System, NullLogger<RedisConnection>.Instance))
        {
            await using var listening = new RedisCredentialStore(
                connection, options, TimeProvider.System, NullLogger<RedisCredentialStore>.Instance);
            await listening.ListenAsync();

            var refused = await Assert.ThrowsAsync<ProblemException>(
                () => _folder.RestoreWithAsync(static _ => { }, force: true, environment: Elsewhere));
            Assert.Contains("a gateway is using this store", refused.Message, StringComparison.Ordinal);
            Assert.Empty(await DumpAsync("other:"));
        }

        await Eventually.TrueAsync(
            async () => (await _redis.CommandAsync("PUBSUB", "NUMSUB", "other:changed")).EndsWith('0'));
        await _folder.RestoreWithAsync(static _ => { }, force: true, environment: Elsewhere);
    }

    [Fact]
    public async Task Backup_OfARedisWithoutKeys_IsRefused()
    {
        var (code, _, error) = await _folder.BackupAsync();

        Assert.Equal(78, code);
        Assert.Contains("there are no signing keys here", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Restore_IntoARedisThatKeepsNothing_IsRefused()
    {
        await FillAsync();
        await MakeAsync();
        await using var forgetful = await RedisServer.StartAsync("--appendonly", "no");
        var there = new Dictionary<string, string> { ["GATEWAY__Redis__Server"] = forgetful.Options.Server };

        var refused = await Assert.ThrowsAnyAsync<StateException>(
            () => _folder.RestoreWithAsync(static _ => { }, environment: there));

        Assert.Contains("does not write to disk", refused.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.Target));
        Assert.Equal("", await forgetful.CommandAsync("KEYS", "*"));
    }

    [Theory]
    [InlineData("""["credential","id","1","2","hash","h","owner"]""")]
    [InlineData("""["credential","id","x","2","hash","h","owner","o"]""")]
    [InlineData("""["field","elsewhere","a","b"]""")]
    [InlineData("""["field","keys","a"]""")]
    [InlineData("""["change","","1 revoked 2"]""")]
    [InlineData("""["schema","","2"]""")]
    [InlineData("""["something","","a"]""")]
    [InlineData("""["field","blocks","user:a","0639000000000000000 {}"]""")]
    [InlineData(
#pragma warning disable RCS0056 // one line of text
        """["field","blocks","user:a","0638682192000000000 {\"subject\":\"user:b\",\"at\":\"2024-11-26T12:00:00Z\",\"by\":\"root\"}"]""")]
#pragma warning restore RCS0056
    [InlineData(
#pragma warning disable RCS0056 // one line of text
        """["field","blocks","user:a","0638682192000000001 {\"subject\":\"user:a\",\"at\":\"2024-11-26T12:00:00Z\",\"by\":\"root\"}"]""")]
#pragma warning restore RCS0056
    [InlineData("""{}""")]
    public void Line_OfAnotherKind_IsRefused(string line) => Assert.Throws<FormatException>(() => RedisLine.Read(line));

    [Theory]
    [InlineData("""["credential","id","1","2","hash","h","owner","o"]""")]
    [InlineData("""["field","keys","a","ä\"\u0001"]""")]
    [InlineData("""["change","","1 revoked 2 id"]""")]
    [InlineData("""["schema","","1"]""")]
    [InlineData(
#pragma warning disable RCS0056 // one line of text
        """["field","blocks","user:a","0638682192000000000 {\"subject\":\"user:a\",\"at\":\"2024-11-26T12:00:00Z\",\"by\":\"root\"}"]""")]
#pragma warning restore RCS0056
    public void Line_OfOurs_IsTheSameAgain(string line) =>
        Assert.Equal(RedisLine.Read(line).Values, RedisLine.Read(RedisLine.Read(line).Write()).Values);

    private static Task<List<string>> NotRevokedAsync(List<RedisLine> lines) => Task.FromResult(
        lines.Where(static line => line.Kind == RedisLine.Credential && !line.Values.Contains("revoked"))
            .Select(static line => line.Name).ToList());

    private RedisCredentialStore Store(string prefix)
    {
        var options = _redis.Options;
        options.KeyPrefix = prefix;
        return new RedisCredentialStore(
            new RedisConnection(options, TimeProvider.System, NullLogger<RedisConnection>.Instance),
            options,
            TimeProvider.System,
            NullLogger<RedisCredentialStore>.Instance,
            ownsConnection: true);
    }

    /// <summary>What gateways write, by their own code; the ids, the oldest first.</summary>
    private async Task<List<string>> FillAsync(int count = 4)
    {
        var options = _folder.Load();
        await using var redis = new RedisConnection(
            options.Redis!, TimeProvider.System, NullLogger<RedisConnection>.Instance);
        await new RedisKeyStore(redis, BackupFolder.KeysPassword)
            .ChangeAsync(
                new SigningKeySchedule(options.SigningKeySettings(), TimeProvider.System).First,
                CancellationToken.None);
        new RedisXmlRepository(redis).StoreElement(new System.Xml.Linq.XElement("key", "ä"), "key-1");
        await using var identities = new RedisIdentityStore(redis);
        var now = TimeProvider.System.GetUtcNow();
        await identities.WriteAsync(
            new StoredIdentity
            {
                Method = "oidc:corp",
                Name = "alice",
                ProviderSubject = "s",
                SignedInAt = now,
                ValidatedAt = now,
            },
            CancellationToken.None);
        await using var store = Store("gw:");
        var ids = new List<string>();
        foreach (var page in Enumerable.Range(0, count).Chunk(100))
        {
            var tokens = page.Select(static i => BackupFolder.NewToken(
                CredentialSecret.Create(CredentialSecretKind.Personal).Reveal(), i % 2 == 0 ? "bob" : "ärger"))
                    .ToList();
            ids.AddRange(tokens.Select(static token => token.Id));
            foreach (var token in tokens)
            {
                await store.AddAsync(token, CancellationToken.None);
            }
        }

        await store.RevokeAsync(ids[1], now, CancellationToken.None);
        await store.ShortenAsync(ids[2], now.AddHours(1), CancellationToken.None);
        await store.WriteBlockAsync(
            new SubjectBlock("user:ärger", now, "root") { Reason = "ä\"" }, CancellationToken.None);
        return ids;
    }

    private async Task MakeAsync()
    {
        var (code, _, error) = await _folder.BackupAsync();
        Assert.True(code == 0, error);
    }

    /// <summary>Every key of a prefix with its value, in an order that is always the same.</summary>
    private async Task<Dictionary<string, string>> DumpAsync(string prefix)
    {
        var found = new Dictionary<string, string>();
        var keys = (await _redis.CommandAsync("--raw", "KEYS", prefix + "*")).Split(
            '\n', StringSplitOptions.RemoveEmptyEntries);
        foreach (var key in keys)
        {
            var value = await _redis.CommandAsync("--raw", "TYPE", key) switch
            {
                "hash" => string.Join('\n', (await _redis.CommandAsync("--no-raw", "HGETALL", key)).Split('\n')
                    // without its number
                    .Select(static line => line[(line.IndexOf(')', StringComparison.Ordinal) + 2)..])
                    .Chunk(2).Select(static pair => string.Join('=', pair)).Order()),
                "zset" => await _redis.CommandAsync("--raw", "ZRANGE", key, "0", "-1", "WITHSCORES"),
                _ => await _redis.CommandAsync("--raw", "GET", key),
            };
            found[key[prefix.Length..]] = value + " " + await _redis.CommandAsync("TTL", key);
        }

        return found;
    }
}
