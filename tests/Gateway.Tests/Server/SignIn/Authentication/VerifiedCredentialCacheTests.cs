using Gateway.Core.Authorization;
using Gateway.Server.SignIn.Authentication;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Server.SignIn.Authentication;

public class VerifiedCredentialCacheTests
{
    private static readonly AuthenticationResult.Accepted Alice =
        new(new Principal { Subject = new Subject { Kind = SubjectKind.User, Name = "alice", Method = "htpasswd" } });

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void TryGet_WithinTheLifetime_FindsAndDoesNotProlong()
    {
        var cache = new VerifiedCredentialCache(10, TimeSpan.FromMinutes(5), _time);
        cache.Add(Key(1), Alice);
        _time.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromTicks(1));
        Assert.True(cache.TryGet(Key(1), out var found));
        Assert.Same(Alice, found);
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.False(cache.TryGet(Key(1), out _));
    }

    [Fact]
    public void Add_BeyondCapacity_DropsTheOldest()
    {
        var cache = new VerifiedCredentialCache(3, TimeSpan.FromMinutes(5), _time);
        for (var i = 0; i < 1000; i++)
        {
            cache.Add(Key(i), Alice);
        }

        Assert.Equal(3, cache.Count);
        Assert.False(cache.TryGet(Key(996), out _));
        Assert.True(cache.TryGet(Key(997), out _));
        Assert.True(cache.TryGet(Key(999), out _));
    }

    [Fact]
    public void Add_AfterTime_DropsWhatExpired()
    {
        var cache = new VerifiedCredentialCache(10, TimeSpan.FromMinutes(5), _time);
        cache.Add(Key(1), Alice);
        cache.Add(Key(2), Alice);
        _time.Advance(TimeSpan.FromMinutes(5));
        cache.Add(Key(3), Alice);
        Assert.Equal(1, cache.Count);
    }

    [Fact]
    public void Add_Again_LivesFromTheLaterVerification()
    {
        var cache = new VerifiedCredentialCache(10, TimeSpan.FromMinutes(5), _time);
        cache.Add(Key(1), Alice);
        _time.Advance(TimeSpan.FromMinutes(4));
        cache.Add(Key(1), Alice);
        _time.Advance(TimeSpan.FromMinutes(4));
        cache.Add(Key(2), Alice); // drops the first record of Key(1), not the second
        Assert.True(cache.TryGet(Key(1), out _));
    }

    [Theory]
    [InlineData(0, 300)]
    [InlineData(10, 0)]
    public void Add_SwitchedOff_RemembersNothing(int capacity, int seconds)
    {
        var cache = new VerifiedCredentialCache(capacity, TimeSpan.FromSeconds(seconds), _time);
        cache.Add(Key(1), Alice);
        Assert.False(cache.TryGet(Key(1), out _));
        Assert.Equal(0, cache.Count);
    }

    private static CredentialKey Key(int number) => new(0, (UInt128)number);
}
