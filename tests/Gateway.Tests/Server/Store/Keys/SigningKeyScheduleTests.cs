using System.Text;
using Gateway.Foundation.Configuration;
using Gateway.Server.Store.Keys;
using Gateway.Tests.Server.SignIn.Authentication;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Store.Keys;

public sealed class SigningKeyScheduleTests : IDisposable
{
    private readonly KeyStage _stage = new();

    public void Dispose() => _stage.Dispose();

    private DateTimeOffset Now => _stage.Time.GetUtcNow();

    [Theory]
    [InlineData(0, 2)]
    [InlineData(2, 0)]
    [InlineData(1, 2)]
    [InlineData(0, 0)]
    public void Rotate_TwoReplicasThatSeeTheFolderLate_EveryTokenVerifiesOnBothAtEverySecond(
        int lagOfOne, int lagOfOther)
    {
        // No upload window: an hour of seconds is enough to see the old key go.
        _stage.Options.UploadWindow = TimeSpan.Zero;
        _stage.Open().EnsureKey();
        var first = _stage.Ring().Keys.Single().Id;
        var seen = new List<SigningKeyRing> { _stage.Ring(), _stage.Ring(), _stage.Ring() };
        var lastSigned = new Dictionary<string, DateTimeOffset>();
        var data = Encoding.ASCII.GetBytes("header.payload");
        for (var second = 0; second < 4200; second++)
        {
            if (second == 10)
            {
                _stage.Open().Change(keys => _stage.Schedule.Rotate(keys, SigningKeySchedule.PublicationDelay));
            }
            else if (second % 60 == 0)
            {
                _stage.Open().Change(_stage.Schedule.Due);
            }

            seen.Add(second < 20 || second % 10 == 0 ? _stage.Ring() : seen[^1]);
            SigningKeyRing[] replicas = [seen[^(1 + lagOfOne)], seen[^(1 + lagOfOther)]];
            foreach (var (signer, verifier) in new[] { (replicas[0], replicas[1]), (replicas[1], replicas[0]) })
            {
                var key = signer.ActiveAt(Now);
                lastSigned[key.Id] = Now;
                var known = verifier.Find(key.Id);
                Assert.True(known is not null, $"second {second}: the other replica does not know the key");
                if (second is < 200 or > 4100)
                {
                    Assert.True(known.Verify(data, key.Sign(data)));
                }
            }

            // The longest life of an access token, and the minute of tolerance.
            foreach (var (id, _) in lastSigned.Where(entry => Now <= entry.Value + TimeSpan.FromMinutes(61)))
            {
                Assert.All(
                    replicas,
                    ring => Assert.True(ring.Find(id) is not null, $"second {second}: a token in use lost its key"));
            }

            _stage.Time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(2, lastSigned.Count);
        Assert.Null(_stage.Ring().Find(first)); // and it is gone in the end
    }

    [Fact]
    public void NeededUntil_KeyThatWasFollowed_CoversATokenAndTheUploadThatItContinues()
    {
        _stage.Open().EnsureKey();
        _stage.Open().Change(keys => _stage.Schedule.Rotate(keys, SigningKeySchedule.PublicationDelay));
        var keys = _stage.Open().Read();

        var activeFrom = keys.Max(static key => key.ActiveFrom);
        Assert.Equal(
            activeFrom + TimeSpan.FromHours(1) + _stage.Options.UploadWindow + TimeSpan.FromMinutes(5),
            _stage.Schedule.NeededUntil(keys.MinBy(static key => key.ActiveFrom)!, keys));
        Assert.Null(_stage.Schedule.NeededUntil(keys.MaxBy(static key => key.ActiveFrom)!, keys));
    }

    [Fact]
    public void Rotate_Twice_WaitsForTheOneThatWasMade()
    {
        _stage.Open().EnsureKey();
        Assert.NotNull(
            _stage.Open().Change(keys => _stage.Schedule.Rotate(keys, SigningKeySchedule.PublicationDelay)).Added);

        Assert.True(
            _stage.Open().Change(keys => _stage.Schedule.Rotate(keys, SigningKeySchedule.PublicationDelay)).IsNone);

        _stage.Time.Advance(SigningKeySchedule.PublicationDelay);
        Assert.NotNull(
            _stage.Open().Change(keys => _stage.Schedule.Rotate(keys, SigningKeySchedule.PublicationDelay)).Added);
    }

    [Fact]
    public void Rotate_AtOnceWhileAnotherWaits_SignsNowInItsPlace()
    {
        _stage.Open().EnsureKey();
        var waiting = _stage.Open().Change(
            keys => _stage.Schedule.Rotate(keys, SigningKeySchedule.PublicationDelay)).Added!;

        var change = _stage.Open().Change(keys => _stage.Schedule.Rotate(keys, TimeSpan.Zero));

        Assert.Equal([waiting.Id], change.Removed.Select(static key => key.Id));
        _stage.Time.Advance(TimeSpan.FromSeconds(1)); // made in the first key's own second: it must win all the same
        Assert.Equal(change.Added!.Id, _stage.Ring().ActiveAt(Now).Id);
        _stage.Time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(change.Added.Id, _stage.Ring().ActiveAt(Now).Id);
    }

    [Fact]
    public void Retire_OldKey_IsGoneAtOnceAndTheNewOneStays()
    {
        _stage.Open().EnsureKey();
        var old = _stage.Ring().Keys.Single();
        _stage.Time.Advance(TimeSpan.FromSeconds(1));
        var added = _stage.Open().Change(keys => _stage.Schedule.Rotate(keys, TimeSpan.Zero)).Added!;

        _stage.Open().Change(keys => _stage.Schedule.Retire(keys, old.Id[..4]));

        Assert.Equal([added.Id], _stage.Ring().Keys.Select(static key => key.Id));
    }

    [Fact]
    public void Retire_KeyThatSigns_IsRefusedAndStays()
    {
        _stage.Open().EnsureKey();
        var only = _stage.Ring().Keys.Single();

        var exception = Assert.Throws<ProblemException>(
            () => _stage.Open().Change(keys => _stage.Schedule.Retire(keys, only.Id)));

        Assert.Equal(
            $"ID: this key signs new tokens (found \"{only.Id}\"). Let another key take over (gateway keys rotate "
                + "--now), then retire this one.",
            exception.Message);
        Assert.Single(_stage.Ring().Keys);
    }

    [Theory]
    [InlineData("")]
    [InlineData("nobody")]
    public void Retire_IdOfNoSingleKey_IsRefused(string id)
    {
        _stage.Open().EnsureKey();
        _stage.Open().Change(keys => _stage.Schedule.Rotate(keys, SigningKeySchedule.PublicationDelay));

        Assert.Throws<ProblemException>(() => _stage.Open().Change(keys => _stage.Schedule.Retire(keys, id)));
        Assert.Equal(2, _stage.KeyFiles().Length);
    }

    [Fact]
    public async Task Due_KeyOfTheConfiguredAge_IsFollowedOnceOverTwoReplicas()
    {
        _stage.Options.Keys.RotateAfter = TimeSpan.FromDays(30);
        _stage.Open().EnsureKey();
        var first = _stage.Ring().Keys.Single();
        var log = new ListLogger<SigningKeyService>();
        var services = Enumerable.Range(0, 2)
            .Select(_ => new SigningKeyService(_stage.Open(), _stage.Schedule, _stage.Time, log)).ToArray();
        _stage.Time.Advance(TimeSpan.FromDays(30) - SigningKeySchedule.PublicationDelay - TimeSpan.FromSeconds(1));
        await RunBoth();
        Assert.Single(_stage.KeyFiles());
        _stage.Time.Advance(TimeSpan.FromSeconds(1));

        await RunBoth();
        await RunBoth();

        Assert.Equal(2, _stage.KeyFiles().Length);
        Assert.Single(log.Lines, static line => line.Contains(" 1111 ", StringComparison.Ordinal));
        var next = _stage.Ring().Keys[^1];
        Assert.Equal(first.ActiveFrom + TimeSpan.FromDays(30), next.ActiveFrom); // takes over at that very age
        Assert.Equal(first.Id, _stage.Ring().ActiveAt(Now).Id);

        _stage.Time.Advance(TimeSpan.FromHours(8));
        await RunBoth();
        Assert.Equal([next.Id], _stage.Ring().Keys.Select(static key => key.Id));

        Task RunBoth() => Task.WhenAll(services.Select(service => Task.Run(() => service.RunAsync(default))));
    }

    [Fact]
    public async Task Service_ClockThatMoves_RotatesByItself()
    {
        _stage.Options.Keys.RotateAfter = TimeSpan.FromDays(1);
        _stage.Open().EnsureKey();
        using var service = new SigningKeyService(
            _stage.Open(), _stage.Schedule, _stage.Time, new ListLogger<SigningKeyService>());
        await service.StartAsync(default);
        await _stage.Time.TimerStarted.WaitAsync(TimeSpan.FromSeconds(30));

        _stage.Time.Advance(TimeSpan.FromDays(1));

        await Eventually.TrueAsync(() => _stage.KeyFiles().Length == 2);
        await service.StopAsync(default);
    }

    [Fact]
    public async Task Due_NoAgeConfigured_RotatesNever()
    {
        _stage.Open().EnsureKey();
        _stage.Time.Advance(TimeSpan.FromDays(10_000));

        await new SigningKeyService(
            _stage.Open(), _stage.Schedule, _stage.Time, new ListLogger<SigningKeyService>()).RunAsync(default);

        Assert.Single(_stage.KeyFiles());
    }

    [Fact]
    public async Task Service_BrokenFolder_IsToldOnce()
    {
        _stage.Open().EnsureKey();
        _stage.Write("broken.pem", "x");
        var log = new ListLogger<SigningKeyService>();
        using var service = new SigningKeyService(_stage.Open(), _stage.Schedule, _stage.Time, log);

        await service.RunAsync(default);
        await service.RunAsync(default);

        Assert.Single(log.Lines);
        Assert.StartsWith("Error 1113 ", log.Lines[0], StringComparison.Ordinal);
    }
}
