using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Gateway.Doctor;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Redis;
using Gateway.Tests.Server.SignIn.Authentication;
using Gateway.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Server.Requests.Redis;

public sealed class RedisConnectionTests
{
    private const string Count = "return redis.call('INCR', KEYS[1])";

    [Fact]
    public async Task Evaluate_ServerThatAnswers_GivesTheAnswerOfTheConfiguredDatabase()
    {
        await using var server = await RedisServer.StartAsync();
        var options = server.Options;
        options.Database = 3;
        options.KeyPrefix = "mine:";
        await using var redis = Connect(options);

        Assert.Equal(1, await CountAsync(redis));
        Assert.Equal(2, await CountAsync(redis));

        Assert.Equal("2", await server.CommandAsync("-n", "3", "GET", "mine:n"));
        Assert.Equal("", await server.CommandAsync("-n", "0", "KEYS", "*"));
    }

    [Fact]
    public async Task Everything_NodeOfACluster_FailsAsEveryOtherFailure()
    {
        // The library does not even send keys of two slots, and says so by an exception that is none of its own family.
        await using var server = await RedisServer.StartAsync("--cluster-enabled", "yes");
        Assert.Equal("OK", (await server.CommandAsync("CLUSTER", "ADDSLOTSRANGE", "0", "16383")).Trim());
        await Eventually.TrueAsync(async () =>
            (await server.CommandAsync("CLUSTER", "INFO")).Contains("cluster_state:ok", StringComparison.Ordinal));
        await using var redis = Connect(server.Options);

        var exception = await Assert.ThrowsAnyAsync<StateException>(() => redis.EvaluateAsync(
            "return redis.call('DEL', KEYS[1], KEYS[2])", [redis.Key("a"), redis.Key("b")], [], default));

        Assert.Equal(
            $"Redis at {server.Options.Server} {RedisTopologyException.NoHashTag.Text}",
            exception.Message);
    }

    [Fact]
    public async Task Connect_NodeWithoutSlotsAndPrefixWithoutAHashTag_IsToldAsOneAndNothingElse()
    {
        // Such a node lists itself without an address, and the library tries that as one more server.
        await using var server = await RedisServer.StartAsync("--cluster-enabled", "yes");
        var logger = new ListLogger<RedisConnection>();
        await using var redis = new RedisConnection(server.Options, TimeProvider.System, logger);
        var problem = $"Redis at {server.Options.Server} {RedisTopologyException.NoHashTag.Text}";

        await Eventually.TrueAsync(async () =>
        {
            Assert.Equal(problem, (await Assert.ThrowsAnyAsync<StateException>(() => CountAsync(redis))).Message);
            return await ConnectionsAsync(server) > 2;
        });

        Assert.Equal([$"Error 1140 {problem} The gateway tries again until it answers."], logger.Lines);

        // redis-cli asks without a name.
        static async Task<int> ConnectionsAsync(RedisServer server) =>
            (await server.CommandAsync("INFO", "commandstats")).Split('\n')
                .Where(static line => line.StartsWith("cmdstat_client|setname:calls=", StringComparison.Ordinal))
                .Select(static line => int.Parse(line.Split('=', ',')[1], CultureInfo.InvariantCulture))
                .SingleOrDefault();
    }

    [Fact]
    public async Task Connect_NodeWithoutSlots_IsToldByItsOwnWord()
    {
        await using var server = await RedisServer.StartAsync("--cluster-enabled", "yes");
        var options = server.Options;
        options.KeyPrefix = "{gateway}:";
        await using var redis = Connect(options);

        var exception = await Assert.ThrowsAnyAsync<StateException>(() => CountAsync(redis));

        Assert.Equal($"Redis at {options.Server} refused: CLUSTERDOWN Hash slot not served.", exception.Message);
        Assert.Equal("RED010", RedisCheck.IdOf(exception));
    }

    // The words of a message, and the server's name in it, decide nothing.
    [Theory]
    [InlineData("Redis at cluster-1:6379 cannot be reached.", 0, "RED001")]
    [InlineData("Redis at password:6379 cannot be reached.", 0, "RED001")]
    [InlineData("Redis at cluster-1:6379 refuses the password.", 1, "RED002")]
    [InlineData("Redis at redis:6379 is a node of a cluster.", 2, "RED010")]
    public void Doctor_KindOfTheFailure_IsTheProblem(string text, int fault, string id) =>
        Assert.Equal(id, RedisCheck.IdOf(new RedisFailureException(new RedisReason(text, (RedisFault)fault))));

    [Fact]
    public async Task Evaluate_ClusterOfOneNode_Answers()
    {
        await using var server = await RedisServer.StartAsync("--cluster-enabled", "yes");
        Assert.Equal("OK", (await server.CommandAsync("CLUSTER", "ADDSLOTSRANGE", "0", "16383")).Trim());
        await Eventually.TrueAsync(async () =>
            (await server.CommandAsync("CLUSTER", "INFO")).Contains("cluster_state:ok", StringComparison.Ordinal));
        var options = server.Options;
        options.KeyPrefix = "{gateway}:";
        await using var redis = Connect(options);

        Assert.Equal(1, await CountAsync(redis));
        Assert.Equal(2, await CountAsync(redis));
        Assert.True(redis.IsConnected);
        Assert.Contains("cluster_enabled:1", await redis.ReadInfoAsync("cluster", default), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Evaluate_AnswerOfAnotherShape_IsNotUnderstoodAndNothingElse()
    {
        await using var server = await RedisServer.StartAsync();
        await using var redis = Connect(server.Options);

        var exception = await Assert.ThrowsAnyAsync<StateException>(() => redis.EvaluateAsync(
            "return 'text'", [redis.Key("a")], [], static result => (int)result, default));

        Assert.StartsWith(
            $"Redis at {server.Options.Server} gave an unexpected answer: ", exception.Message,
            StringComparison.Ordinal);
        Assert.Equal(
            7, await redis.EvaluateAsync("return 7", [redis.Key("a")], [], static result => (int)result, default));
    }

    [Fact]
    public async Task Evaluate_CallerThatLeaves_IsNoFailureOfRedis()
    {
        await using var server = await RedisServer.StartAsync();
        await using var redis = Connect(server.Options);
        using var left = new CancellationTokenSource();
        await left.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => redis.EvaluateAsync(Count, [redis.Key("n")], [], left.Token));
    }

    [Fact]
    public async Task Evaluate_ManyAtOnce_AllAnswered()
    {
        await using var server = await RedisServer.StartAsync();
        await using var redis = Connect(server.Options);

        var answers = await Task.WhenAll(Enumerable.Range(0, 500).Select(_ => CountAsync(redis)));

        Assert.Equal(Enumerable.Range(1, 500), answers.Order());
    }

    [Fact]
    public async Task Evaluate_ServerThatComesLater_FailsWithinTheBudgetAndThenAnswers()
    {
        await using var server = RedisServer.Prepare();
        var options = server.Options;
        options.Timeout = TimeSpan.FromMilliseconds(500);
        await using var redis = Connect(options);

        var started = Stopwatch.GetTimestamp();
        var exception = await Assert.ThrowsAnyAsync<StateException>(() => CountAsync(redis));
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(3));
        Assert.StartsWith($"Redis at {options.Server} ", exception.Message, StringComparison.Ordinal);

        await server.StartAgainAsync();
        await AnswersAsync(redis);
    }

    [Fact]
    public async Task Evaluate_ServerThatHangs_FailsWithinTheBudgetAndLaterAnswers()
    {
        await using var server = await RedisServer.StartAsync();
        var options = server.Options;
        options.Timeout = TimeSpan.FromMilliseconds(300);
        await using var redis = Connect(options);
        await AnswersAsync(redis);

        await server.SignalAsync("STOP");
        var started = Stopwatch.GetTimestamp();
        var exception = await Assert.ThrowsAnyAsync<StateException>(() => CountAsync(redis));

        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(3));
        Assert.Equal($"Redis at {options.Server} did not answer within 300 ms.", exception.Message);
        await server.SignalAsync("CONT");
        await AnswersAsync(redis);
    }

    [Fact]
    public async Task Evaluate_ServerRestarted_AnswersAgainAndSaysSo()
    {
        await using var server = await RedisServer.StartAsync();
        var logger = new ListLogger<RedisConnection>();
        await using var redis = new RedisConnection(server.Options, TimeProvider.System, logger);
        var restored = 0;
        redis.Restored += () => Interlocked.Increment(ref restored);
        await AnswersAsync(redis);
        var before = redis.Epoch;
        Assert.NotNull(before.Primary);

        await server.KillAsync();
        await Assert.ThrowsAnyAsync<StateException>(() => CountAsync(redis));
        await server.StartAgainAsync();
        await AnswersAsync(redis);

        await Eventually.TrueAsync(() => Volatile.Read(ref restored) > 0);
        Assert.NotEqual(before, redis.Epoch);
        Assert.Equal(
            [
                $"Error 1140 Redis at {server.Options.Server} cannot be reached. The gateway tries again until it "
                    + "answers.",
                $"Information 1141 Redis at {server.Options.Server} is connected again.",
            ],
            logger.Lines);
    }

    [Fact]
    public async Task Evaluate_ScriptsForgottenByTheServer_SendsThemAgain()
    {
        await using var server = await RedisServer.StartAsync();
        await using var redis = Connect(server.Options);
        await CountAsync(redis);

        await server.CommandAsync("SCRIPT", "FLUSH");

        Assert.Equal(2, await CountAsync(redis));
    }

    [Fact]
    public async Task Evaluate_WrongPassword_SaysSoWithoutIt()
    {
        await using var server = await RedisServer.StartAsync("--requirepass", "right-one");
        var options = server.Options;
        options.Password = "canary-wrong";
        var logger = new ListLogger<RedisConnection>();
        await using var redis = new RedisConnection(options, TimeProvider.System, logger);

        var said = "";
        await Eventually.TrueAsync(async () =>
        {
            // The very first failure may come before the library knows why.
            var exception = await Assert.ThrowsAnyAsync<StateException>(() => CountAsync(redis));
            said += exception;
            return exception.Message == $"Redis at {options.Server} refuses the password. See redis.password.";
        });

        Assert.Contains("refuses the password", logger.Lines[^1], StringComparison.Ordinal);
        Assert.DoesNotContain("canary", said + string.Concat(logger.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Evaluate_RightPassword_Answers()
    {
        await using var server = await RedisServer.StartAsync("--requirepass", "right-one");
        var options = server.Options;
        options.Password = "right-one";
        await using var redis = Connect(options);

        Assert.Equal(1, await CountAsync(redis));
    }

    [Fact]
    public async Task Evaluate_FaultyScript_IsRefusedInOneLine()
    {
        await using var server = await RedisServer.StartAsync();
        await using var redis = Connect(server.Options);

        var exception = await Assert.ThrowsAnyAsync<StateException>(
            () => redis.EvaluateAsync("return redis.error_reply('ERR no\\nmore')", [], [], default));

        Assert.StartsWith($"Redis at {server.Options.Server} refused: ", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', exception.Message);
    }

    [Fact]
    public async Task Evaluate_Cancelled_Ends()
    {
        await using var server = await RedisServer.StartAsync();
        await using var redis = Connect(server.Options);
        await CountAsync(redis);
        await server.SignalAsync("STOP");
        using var cancellation = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => redis.EvaluateAsync(Count, [redis.Key("n")], [], cancellation.Token));
        await server.SignalAsync("CONT");
    }

    [Fact]
    public async Task Evaluate_AfterDispose_IsRefused()
    {
        await using var server = await RedisServer.StartAsync();
        var redis = Connect(server.Options);
        await CountAsync(redis);
        await redis.DisposeAsync();

        var exception = await Assert.ThrowsAnyAsync<StateException>(() => CountAsync(redis));
        Assert.EndsWith("the gateway is stopping.", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReadInfo_Persistence_TellsOfTheAppendOnlyFile()
    {
        await using var server = await RedisServer.StartAsync();
        await using var redis = Connect(server.Options);

        Assert.Contains("aof_enabled:1", await redis.ReadInfoAsync("persistence", default), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Subscribe_ServerThatComesLaterAndRestarts_HearsMessagesWithItsPrefixOnly()
    {
        await using var server = RedisServer.Prepare();
        await using var redis = Connect(server.Options);
        var heard = new ConcurrentQueue<string>();
        await redis.SubscribeAsync("news", heard.Enqueue);

        await server.StartAgainAsync();
        await HearsAsync("first");
        await server.KillAsync();
        await server.StartAgainAsync();
        await HearsAsync("second");
        Assert.DoesNotContain("foreign", heard);

        async Task HearsAsync(string message)
        {
            await Eventually.TrueAsync(async () =>
            {
                await server.CommandAsync("PUBLISH", "other:news", "foreign");
                await server.CommandAsync("PUBLISH", "gateway:news", message);
                return heard.Contains(message);
            });
        }
    }

    [Fact]
    public async Task Subscribe_SeveralHandlers_AllHearIt()
    {
        await using var server = await RedisServer.StartAsync();
        await using var one = Connect(server.Options);
        var (first, second) = (new ConcurrentQueue<string>(), new ConcurrentQueue<string>());
        await one.SubscribeAsync("news", first.Enqueue);
        await one.SubscribeAsync("news", second.Enqueue);

        await server.CommandAsync("PUBLISH", "gateway:news", "hello");

        await Eventually.TrueAsync(() => first.Count == 1 && second.Count == 1);
        Assert.Equal(1, await one.CountListenersAsync("news", default));
    }

    private static RedisConnection Connect(RedisOptions options) =>
        new(options, TimeProvider.System, NullLogger<RedisConnection>.Instance);

    private static async Task<int> CountAsync(RedisConnection redis) =>
        (int)await redis.EvaluateAsync(Count, [redis.Key("n")], [], default);

    private static Task<TimeSpan> AnswersAsync(RedisConnection redis) => Eventually.TrueAsync(async () =>
    {
        try
        {
            await CountAsync(redis);
            return true;
        }
        catch (StateException)
        {
            return false;
        }
    });
}
