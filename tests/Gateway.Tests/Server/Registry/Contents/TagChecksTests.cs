using Gateway.Core.Registry;
using Gateway.Server.Registry.Contents;
using Gateway.Server.Requests.Pipeline;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Registry.Contents;

/// <summary>Whose question about a tag an answer serves.</summary>
public sealed class TagChecksTests
{
    private static readonly ContentKey Key =
        new("main", "team-a/app", ContentKind.Tag, "v1", default, default);

    [Fact]
    public async Task Ask_WhileAQuestionIsOnItsWay_WaitsForTheNextOneWithAllWhoCame()
    {
        var checks = new TagChecks(TimeProvider.System);
        var (first, second) = (new TaskCompletionSource<string?>(), new TaskCompletionSource<string?>());
        var sent = 0;

        var one = checks.AskAsync(Key, () => () => Send(first));
        var two = checks.AskAsync(Key, () => () => Send(second));
        var three = checks.AskAsync(Key, () => throw new InvalidOperationException("is not needed"));
        Assert.Equal(1, sent);
        first.SetResult("old");

        Assert.Equal("old", (await one).Digest);
        await Eventually.TrueAsync(() => Volatile.Read(ref sent) == 2);
        Assert.False(two.IsCompleted); // the tag may have been pushed since the first one was sent
        second.SetResult("new");
        Assert.Equal("new", (await two).Digest);
        Assert.Equal("new", (await three).Digest);

        Task<string?> Send(TaskCompletionSource<string?> answer)
        {
            Interlocked.Increment(ref sent);
            return answer.Task;
        }
    }

    [Fact]
    public async Task Ask_ThatFails_SaysThatNothingIsKnownAndTheNextOneAsksAgain()
    {
        var checks = new TagChecks(TimeProvider.System);

        var failed = await checks.AskAsync(
            Key, static () => static () => throw new UpstreamException(RegistryError.Unavailable(502, "x")));
        var next = await checks.AskAsync(Key, static () => static () => Task.FromResult<string?>("new"));

        Assert.Null(failed.Digest);
        Assert.Equal("new", next.Digest);
    }
}
