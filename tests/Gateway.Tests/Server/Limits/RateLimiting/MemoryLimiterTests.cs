using System.Threading.RateLimiting;
using Gateway.Core.RateLimiting;
using Gateway.Server.Limits.RateLimiting;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Server.Limits.RateLimiting;

public sealed class MemoryLimiterTests : IDisposable
{
    private readonly FakeTimeProvider _clock = new();
    private readonly MemoryLimiter _limiter;

    public MemoryLimiterTests() => _limiter = new MemoryLimiter(_clock);

    public void Dispose() => _limiter.Dispose();

    [Fact]
    public async Task Acquire_ManyAtOnce_GivesExactlyTheBurst()
    {
        LimitCharge[] charges = [LimitTesting.Charge(LimitTesting.Rule(100, 3600), "a")];

        var granted = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() =>
            Enumerable.Range(0, 20).Count(_ => _limiter.AttemptAcquire(charges).IsAcquired))));

        Assert.Equal(100, granted.Sum());
    }

    [Fact]
    public void Acquire_OneOfTwoUsedUp_TakesNothingOfTheOther()
    {
        var tight = LimitTesting.Charge(LimitTesting.Rule(1, 60, name: "tight"), "tight");
        var wide = LimitTesting.Charge(LimitTesting.Rule(10, 60, name: "wide"), "wide");
        Assert.True(_limiter.AttemptAcquire([tight, wide]).IsAcquired);

        var lease = (LimitLease)_limiter.AttemptAcquire([wide, tight]);

        Assert.False(lease.IsAcquired);
        Assert.Equal("tight", lease.Tightest!.Rule.Name);
        Assert.True(lease.TryGetMetadata(MetadataName.RetryAfter, out var wait));
        Assert.Equal(TimeSpan.FromSeconds(60), wait);
        Assert.Equal(9, _limiter.GetStatistics([wide])!.CurrentAvailablePermits);
    }

    [Fact]
    public void Acquire_SeveralAllow_TellsOfTheOneWithLeastLeft()
    {
        var some = LimitTesting.Charge(LimitTesting.Rule(5, 60, name: "some"), "some");
        var many = LimitTesting.Charge(LimitTesting.Rule(50, 60, name: "many"), "many");

        var lease = (LimitLease)_limiter.AttemptAcquire([many, some]);

        Assert.Equal(("some", 4), (lease.Tightest!.Rule.Name, lease.Verdict.Remaining));
        Assert.Empty(lease.MetadataNames);
    }

    [Fact]
    public void Acquire_RefusedAgainAndAgain_WaitsNoLonger()
    {
        LimitCharge[] charges = [LimitTesting.Charge(LimitTesting.Rule(1, 60), "a")];
        _limiter.AttemptAcquire(charges);
        for (var i = 0; i < 1000; i++)
        {
            Assert.False(_limiter.AttemptAcquire(charges).IsAcquired);
        }

        _clock.Advance(TimeSpan.FromSeconds(60));

        Assert.True(_limiter.AttemptAcquire(charges).IsAcquired);
    }

    [Fact]
    public async Task GiveBack_AfterAStart_IsAsIfItHadNotBeen()
    {
        LimitCharge[] charges = [LimitTesting.Charge(LimitTesting.Rule(1, 60), "a")];
        for (var i = 0; i < 10; i++)
        {
            Assert.True(_limiter.AttemptAcquire(charges).IsAcquired);
            await _limiter.GiveBackAsync(charges, CancellationToken.None);
        }

        Assert.True(_limiter.AttemptAcquire(charges).IsAcquired);
        Assert.False(_limiter.AttemptAcquire(charges).IsAcquired);
    }

    [Fact]
    public void Acquire_FromEverNewAddresses_KeepsMemoryBoundedAndUsedUpBudgetsUsedUp()
    {
        LimitCharge[] victim = [LimitTesting.Charge(LimitTesting.Rule(10, 3600), "victim")];
        for (var i = 0; i < 10; i++)
        {
            _limiter.AttemptAcquire(victim);
        }

        var rule = LimitTesting.Rule(10, 3600);
        for (var i = 0; i < 450_000; i++)
        {
            _limiter.AttemptAcquire([LimitTesting.Charge(rule, $"address-{i}")]);
        }

        Assert.True(_limiter.Read().Count <= 200_000);
        Assert.False(_limiter.AttemptAcquire(victim).IsAcquired);
    }
}
