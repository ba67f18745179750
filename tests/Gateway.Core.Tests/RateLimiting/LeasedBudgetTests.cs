using Gateway.Core.RateLimiting;

namespace Gateway.Core.Tests.RateLimiting;

public sealed class LeasedBudgetTests
{
    private const long Second = 1_000_000;
    private const long Now = 1_790_000_000 * Second;

    private static readonly long Use = (long)PermitLease.Use.TotalMicroseconds;
    private static readonly long Lifetime = (long)PermitLease.Lifetime.TotalMicroseconds;
    private static readonly Quota HundredAMinute = new(100, TimeSpan.FromMinutes(1), 100);

    /// <summary>
    /// However replicas lease, use, give back, crash and come late: what they hand out, one process alone would have
    /// handed out as well.
    /// </summary>
    [Fact]
    public void Lease_AnyCourseOfReplicas_NeverHandsOutMoreThanOneBudget()
    {
        var (uses, leasedUses, refusals, crashes) = (0, 0, 0, 0);
        for (var seed = 0; seed < 1000; seed++)
        {
            var random = new Random(seed);
            var quota = new Quota(
                random.Next(1, 400), TimeSpan.FromSeconds(random.Next(1, 300)), random.Next(100, 500));
            var budget = LeasedBudget.Full;
            var replicas = new Replica[random.Next(1, 4)];
            var (now, alone, one) = (Now, 0L, 0);
            // a crowd uses everything up while a lease lasts; at leisure, leases expire and permits come back meanwhile
            var tempo = random.Next(3) switch { 0 => 4, 1 => 40, _ => 400 };
            for (var step = 0; step < 800; step++)
            {
                now += random.Next(tempo) switch
                {
                    0 => random.NextInt64(quota.Interval * 2),
                    1 => random.NextInt64(Use),
                    2 => random.NextInt64(Lifetime),
                    _ => 0,
                };
                one = random.Next(30) == 0 ? random.Next(replicas.Length) : one; // one has a lease, another is asked
                ref var replica = ref replicas[one];
                switch (random.Next(60))
                {
                    case 0 when replica.Id is not null: // its process crashed
                        (replica, crashes) = (default, crashes + 1);
                        continue;
                    case 1 when replica.Id is not null:
                        (budget, replica) = (budget.Settle(now, quota, replica.Id, replica.Used), default);
                        continue;
                }

                if (replica.Used < replica.Count && now - replica.Asked < Use)
                {
                    replica.Used++;
                    leasedUses++;
                }
                else
                {
                    budget = budget.Settle(now, quota, replica.Id, replica.Used);
                    var verdict = budget.Judge(now, quota, 1);
                    budget = budget with { Whole = verdict.IsAllowed ? verdict.Whole : budget.Whole };
                    var count = Gcra.Batch(verdict, random.Next(0, 41));
                    replica = count == 0 ? default : new Replica($"{seed}.{step}", count, 0, now);
                    budget = budget.Lease(new PermitLease($"{seed}.{step}", count, now + Lifetime));
                    if (!verdict.IsAllowed)
                    {
                        refusals++;
                        continue;
                    }
                }

                var strict = Gcra.Judge(alone, now, quota, 1);
                Assert.True(strict.IsAllowed, $"seed {seed}, step {step}: a permit too many");
                (alone, uses) = (strict.Whole, uses + 1);
            }
        }

        // all ways were walked
        Assert.True(uses > 100_000 && leasedUses > 10_000 && refusals > 10_000 && crashes > 1_000,
            $"{uses} uses, {leasedUses} of leases, {refusals} refusals, {crashes} crashes");
    }

    [Fact]
    public void Judge_WithALease_CountsItAsTakenHoweverLongItLasts()
    {
        var budget = LeasedBudget.Full.Lease(new PermitLease("a", 10, Now + Lifetime));

        Assert.Equal(89, budget.Judge(Now, HundredAMinute, 1).Remaining);
        Assert.Equal(90, budget.Judge(Now + Lifetime - 1, HundredAMinute, 0).Remaining);
    }

    [Fact]
    public void Settle_GivenBack_CountsWhatWasUsedOnce()
    {
        var budget = LeasedBudget.Full.Lease(new PermitLease("a", 10, Now + Lifetime));

        var settled = budget.Settle(Now, HundredAMinute, "a", 3);

        Assert.Equal(97, settled.Judge(Now, HundredAMinute, 0).Remaining);
        var again = settled.Settle(Now, HundredAMinute, "a", 3); // nobody knew whether it had been settled
        Assert.Equal((settled.Whole, 0), (again.Whole, again.Reserved));
        Assert.Equal(90, budget.Settle(Now, HundredAMinute, "a", 50).Judge(Now, HundredAMinute, 0).Remaining);
    }

    [Fact]
    public void Settle_Expired_CountsAllAsUsedWhenItExpired()
    {
        var budget = LeasedBudget.Full.Lease(new PermitLease("a", 10, Now));

        Assert.Equal(90, budget.Settle(Now, HundredAMinute).Judge(Now, HundredAMinute, 0).Remaining);
        // and they come back from then on, though nobody looked before
        var later = Now + (3 * Second);
        Assert.Equal(95, budget.Settle(later, HundredAMinute).Judge(later, HundredAMinute, 0).Remaining);
    }

    [Fact]
    public void Settle_OfAnotherProcess_LeavesTheLeaseAlone()
    {
        var budget = LeasedBudget.Full.Lease(new PermitLease("a", 10, Now + Lifetime));

        Assert.Equal(10, budget.Settle(Now, HundredAMinute, "b", 5).Reserved);
    }

    [Theory]
    [InlineData(0, 10)]
    [InlineData(1, 0)] // longer than any lease lasts: the clock was set back, and its process may have crashed
    public void Settle_ClockSetBack_LocksNothingUp(long beyond, int reserved)
    {
        var budget = LeasedBudget.Full.Lease(new PermitLease("a", 10, Now + Lifetime + beyond));

        Assert.Equal(reserved, budget.Settle(Now, HundredAMinute).Reserved);
    }

    [Theory]
    [InlineData(320, 32)]
    [InlineData(319, 31)]
    [InlineData(100, 10)]
    [InlineData(99, 0)]
    public void Batch_OfWhatIsLeft_LeavesTenBatches(int left, int batch) =>
        Assert.Equal(batch, Gcra.Batch(new GcraVerdict(true, 0, left, 0), 32));

    [Fact]
    public void Batch_OfARefusedRequest_IsNone() => Assert.Equal(0, Gcra.Batch(new GcraVerdict(false, 0, 400, 1), 32));

    [Fact]
    public void Judge_MoreReservedThanThereIs_IsNeverRefusedWhereNoneAreTaken()
    {
        var usedUp = Gcra.Judge(Now + (60 * Second), Now, HundredAMinute, 0, reserved: 10);

        Assert.True(usedUp.IsAllowed);
        Assert.Equal(0, usedUp.Remaining);
    }

    [Theory]
    [InlineData("", "", 0, 0)]
    [InlineData("7", "a 3 9 ", 7, 3)]
    [InlineData("7", "a 3 9 b 4 8 ", 7, 7)]
    [InlineData("nonsense", "nonsense", 0, 0)]
    [InlineData("1 2", "a x 9 b 4 8", 0, 4)]
    public void Parse_WhatTheStoreHolds_ReadsNumbersAndNothingElse(
        string whole, string leases, long expected, int reserved)
    {
        var budget = LeasedBudget.Parse(whole, leases);

        Assert.Equal((expected, reserved), (budget.Whole, budget.Reserved));
    }

    private record struct Replica(string? Id, int Count, int Used, long Asked);
}
